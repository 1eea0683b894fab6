"""Changing the key that signs sessions, while nobody is signed out.

Pods are replaced one by one, so old and new ones serve together for a while, and each has to accept
what the others sign. Hence three steps, each of them a `pulumi up`:

1. Every pod accepts the new key (`jwtNextKey`), and signs with the old one as before.
2. Every pod signs with the new key (`jwtKey`), and accepts the old one (`jwtPreviousKey`).
3. When the last session signed with the old key has ended, no pod accepts it any more.

The stack's configuration says where a rotation stands, and the Secret that is mounted whether the
pods have got there, so a second run goes on where the first was cut off.
"""

import base64
import secrets
from dataclasses import dataclass

from ops.failure import ExitCode, Failure
from ops.json_tree import Json, part
from ops.kube import Cluster
from ops.pulumi_command import explain
from ops.stack import Stack
from ops.workloads import is_ready, mounted_secret, seconds_since, selector_of, workload_path

CURRENT, NEXT, PREVIOUS = "todo:jwtKey", "todo:jwtNextKey", "todo:jwtPreviousKey"
_FILES = {CURRENT: "jwt-key", NEXT: "jwt-next-key", PREVIOUS: "jwt-previous-key"}
_TARGETS = ("backend-secrets", "backend-deployment")
_SESSION_MINUTES = (
    "from todo_backend.settings import get_settings; print(get_settings().session_minutes)"
)


@dataclass
class JwtRotation:
    """The places that know the keys."""

    stack: Stack
    cluster: Cluster

    def configured(self, name: str) -> str | None:
        """Returns a key in the stack's configuration, or None."""
        done = self.stack.pulumi.run("config", "get", name, seconds=60)
        if done.returncode == 0:
            return done.stdout.strip()
        if "not found" in done.stderr:
            return None
        raise explain(("config", "get"), done.stderr)

    def deployed(self) -> bool:
        """Returns whether the pods' keys are those in the stack's configuration."""
        data = part(self._secret(), "data")
        return all(
            base64.b64decode(data.get(file, "")).decode() == (self.configured(name) or "")
            for name, file in _FILES.items()
        )

    def announce(self) -> None:
        """Lets every pod accept a new key; one that an earlier run made is taken up again."""
        if self.configured(NEXT) is None:
            self._configure(NEXT, secrets.token_urlsafe(36))
        self.update()

    def promote(self) -> None:
        """Lets every pod sign with the announced key, and accept the one before."""
        current, announced = self.configured(CURRENT), self.configured(NEXT)
        if current and announced and current != announced:
            self._configure(PREVIOUS, current)
            self._configure(CURRENT, announced)
        self._forget(NEXT)
        self.update()

    def retire(self) -> None:
        """Lets no pod accept the former key any more."""
        if self.configured(PREVIOUS) is not None:
            self._forget(PREVIOUS)
        self.update()

    def update(self) -> None:
        """Brings the keys in the configuration to the pods; replaces these one by one.

        Raises:
            Failure: `pulumi up` failed; a second run goes on from here.
        """
        self.stack.pulumi.update(*_TARGETS)

    def seconds_to_wait(self) -> float:
        """Returns how long sessions signed with the former key may still be in use.

        A session ends `SESSION_MINUTES` after it was signed, and none was signed with the former
        key since the Secret with the present keys was made: a change makes a new Secret.
        """
        made = seconds_since(self._secret()["metadata"]["creationTimestamp"])
        return self._session_minutes() * 60 - made

    def _session_minutes(self) -> int:
        backend = self._backend()
        pods = [pod for pod in self.cluster.pods(selector_of(backend)) if is_ready(pod)]
        if not pods:
            raise Failure("No backend pod is ready; run `python -m ops validate`.")
        container = backend["spec"]["template"]["spec"]["containers"][0]["name"]
        command = ["python", "-c", _SESSION_MINUTES]
        return int(self.cluster.run(pods[0]["metadata"]["name"], container, command).out)

    def _backend(self) -> Json:
        name = self.stack.workloads["backend"]
        return self.cluster.get(workload_path(self.cluster, "backend", name))

    def _secret(self) -> Json:
        name = mounted_secret(self._backend())
        if name is None or self.configured(CURRENT) is None:
            raise Failure(
                "This stack's session key is not in its configuration; if an external store has "
                "it, change it there in the steps of docs/operations.md.",
                ExitCode.USAGE,
            )
        return self.cluster.get(self.cluster.path("secrets", name))

    def _configure(self, name: str, key: str) -> None:
        self.stack.pulumi.text("config", "set", "--secret", name, stdin=key)

    def _forget(self, name: str) -> None:
        self.stack.pulumi.text("config", "rm", name)
