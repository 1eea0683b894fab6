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

from cluster_objects.json_tree import Json, part, parts
from console.duration import seconds_since
from console.failure import ExitCode, Failure
from ops.contract import Service
from ops.kube import Cluster
from ops.stack import Stack
from ops.workloads import is_ready, mounted_secret, selector_of

CURRENT, NEXT, PREVIOUS = "jwtKey", "jwtNextKey", "jwtPreviousKey"


@dataclass
class JwtRotation:
    """The places that know the keys."""

    stack: Stack
    cluster: Cluster

    def configured(self, name: str) -> str | None:
        """Returns a key in the stack's configuration, or None."""
        return self.stack.pulumi.config(self.stack.contract.secret(name).config_key)

    def deployed(self) -> bool:
        """Returns whether the pods' keys are those in the stack's configuration."""
        self._check_generated()
        for name in (CURRENT, NEXT, PREVIOUS):
            wanted = self.configured(name) or ""
            for service, secret in self.stack.contract.readers(name).items():
                found = part(self._mounted(service), "data").get(secret.file, "")
                if base64.b64decode(found).decode() != wanted:
                    return False
        return True

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
        self.stack.pulumi.up(self.stack.contract.secret(CURRENT).targets)

    def seconds_to_wait(self) -> float:
        """Returns how long sessions signed with the former key may still be in use.

        A session ends `SESSION_MINUTES` after it was signed, and none was signed with the former
        key since the last pod that had it was replaced.
        """
        since = min(map(self._seconds_since_rollout, self.stack.contract.readers(CURRENT)))
        return self._session_minutes() * 60 - since

    def _seconds_since_rollout(self, service: Service) -> float:
        """Returns for how long all pods have been of the newest template; 0: they are not yet.

        The condition keeps its time when pods are added, as a younger pod's own would not
        (https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#complete-deployment).
        """
        deployment = self.cluster.get(service.kind, service.workload)
        for it in parts(deployment, "status", "conditions"):
            if it["type"] == "Progressing" and it.get("reason") == "NewReplicaSetAvailable":
                return seconds_since(it["lastUpdateTime"])
        return 0

    def _session_minutes(self) -> int:
        service, session = self.stack.contract.of_role("backend"), self.stack.contract.session
        if session is None:
            raise Failure("This stack signs nobody in.", ExitCode.USAGE)
        selector = selector_of(self.cluster.get(service.kind, service.workload))
        pods = [pod for pod in self.cluster.pods(selector) if is_ready(pod)]
        if not pods:
            raise Failure(f"No {service.name} pod is ready; run `python -m ops validate`.")
        name = pods[0]["metadata"]["name"]
        return int(self.cluster.run(name, service.container, session.minutes_command).out)

    def _check_generated(self) -> None:
        generated = self.stack.contract.secret(CURRENT).generated
        if not generated or self.configured(CURRENT) is None:
            raise Failure(
                "This stack's session key is not in its configuration; if an external store has "
                "it, change it there in the steps of docs/operations.md, with `python -m ops "
                "sync-secrets` after each.",
                ExitCode.USAGE,
            )

    def _mounted(self, service: Service) -> Json:
        """Returns the Secret that a service's pods mount."""
        name = mounted_secret(self.cluster.get(service.kind, service.workload))
        return self.cluster.get("Secret", str(name))

    def _configure(self, name: str, key: str) -> None:
        self.stack.pulumi.set_secret(self.stack.contract.secret(name).config_key, key)

    def _forget(self, name: str) -> None:
        self.stack.pulumi.remove_config(self.stack.contract.secret(name).config_key)
