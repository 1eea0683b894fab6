"""Changing the database's password while requests go on.

PostgreSQL knows one password per role, so somewhere between the old and the new one there is an
instant in which a new connection with the wrong one is refused. The backend reads its password file
for each new connection and tries for five seconds, so that instant only has to be short:

1. The new password goes into the stack's configuration, encrypted. From here on a second run goes
   on with it instead of making another.
2. The Secrets that are mounted get it, and a note on each pod makes its kubelet look at once.
3. As soon as the first pod's file has it, ALTER ROLE sets it. Connections that are open stay open.
4. `pulumi up` makes the same of the state, which rolls the backend pods; both sides agree by then.
"""

import base64
import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ops import database
from ops.failure import ExitCode, Failure
from ops.json_tree import Json
from ops.kube import Cluster
from ops.scram import verifier
from ops.stack import Stack
from ops.workloads import is_ready, mounted_secret, selector_of, workload_path

KEY = "database-password"
CONFIG_KEY = "todo:databasePassword"
_LOOK = "todo-ops/secrets-changed"
_PENDING = "todo-ops/rotation-pending"
_SECONDS = 150.0
TARGETS = ("postgres-credentials", "backend-secrets", "backend-deployment")


def digest(password: str) -> str:
    """Returns a digest for comparing; the password itself is never shown."""
    return hashlib.sha256(password.encode()).hexdigest()


@dataclass
class PasswordRotation:
    """The places that know the password."""

    stack: Stack
    cluster: Cluster

    def configured(self) -> str:
        """Returns the password in the stack's configuration.

        Raises:
            Failure: There is none, because an external store has it.
        """
        done = self.stack.pulumi.run("config", "get", CONFIG_KEY, seconds=60)
        if done.returncode:
            raise Failure(
                "This stack's password is not in its configuration; if an external store has it, "
                "change it there and in the database.",
                ExitCode.USAGE,
            )
        return done.stdout.strip()

    def configure(self, password: str) -> None:
        """Writes the password into the stack's configuration, through standard input."""
        self.stack.pulumi.text("config", "set", "--secret", CONFIG_KEY, stdin=password)

    @cached_property
    def _backend(self) -> Json:
        return self.cluster.get(
            workload_path(self.cluster, "backend", self.stack.workloads["backend"])
        )

    def secret_names(self) -> dict[str, str]:
        """Returns role to name of the Secret that its pods mount."""
        names: dict[str, str] = {}
        for role in ("backend", "database"):
            path = workload_path(self.cluster, role, self.stack.workloads[role])
            if name := mounted_secret(self.cluster.get(path)):
                names[role] = name
        return names

    def pending(self) -> bool:
        """Returns whether an earlier rotation did not get to its end."""
        return any(
            _PENDING in (secret["metadata"].get("annotations") or {}) for secret in self._secrets()
        )

    def finish(self) -> None:
        """Notes that the rotation is complete, and leaves the Secrets to Pulumi."""
        for name in set(self.secret_names().values()):
            path = self.cluster.path("secrets", name)
            self.cluster.patch(path, {"metadata": {"annotations": {_PENDING: None}}})
            self.cluster.disown(path)

    def _secrets(self) -> list[Json]:
        names = sorted(set(self.secret_names().values()))
        return [self.cluster.get(self.cluster.path("secrets", name)) for name in names]

    def stored(self) -> set[str]:
        """Returns the digests of the passwords in the mounted Secrets."""
        found: set[str] = set()
        for secret in self._secrets():
            found.add(digest(base64.b64decode(secret.get("data", {}).get(KEY, "")).decode()))
        return found

    def accepts(self, password: str) -> bool:
        """Returns whether the server accepts the password over the network."""
        address = self.stack.database
        script = (
            'read -r PGPASSWORD; export PGPASSWORD; exec psql -X -w -A -t -h 127.0.0.1 -U "$0" '
            '-d "$1" -c "SELECT 1"'
        )
        done = self.cluster.run(
            self.stack.database_pod(),
            database.CONTAINER,
            ["sh", "-c", script, address.user, address.name],
            stdin=f"{password}\n",
        )
        if done.code and "password authentication failed" not in done.err:
            raise Failure(
                "The database does not answer; look at `python -m ops status`, then run this again."
            )
        return done.code == 0

    def store(self, password: str) -> None:
        """Puts the password into the mounted Secrets, and makes the kubelets look at once."""
        value = base64.b64encode(password.encode()).decode()
        for name in self.secret_names().values():
            self.cluster.patch(
                self.cluster.path("secrets", name),
                {"data": {KEY: value}, "metadata": {"annotations": {_PENDING: "true"}}},
            )
        note = {"metadata": {"annotations": {_LOOK: str(time.time())}}}
        for pod in self.backend_pods():
            self.cluster.patch(self.cluster.path("pods", pod), note)

    def backend_pods(self) -> list[str]:
        """Returns the backend's pods that are ready."""
        pods = self.cluster.pods(selector_of(self._backend))
        return [pod["metadata"]["name"] for pod in pods if is_ready(pod)]

    def file(self) -> tuple[str, str]:
        """Returns container and path of the backend's password file."""
        spec: Any = self._backend["spec"]["template"]["spec"]
        volumes = {v["name"] for v in spec["volumes"] if "secret" in v}
        container = spec["containers"][0]
        mount = next(m["mountPath"] for m in container["volumeMounts"] if m["name"] in volumes)
        return container["name"], f"{mount}/{KEY}"

    def pods_with(self, password: str) -> tuple[int, int]:
        """Returns how many backend pods see the password, and how many there are."""
        container, path = self.file()
        pods = self.backend_pods()

        def sees(pod: str) -> bool:
            try:
                done = self.cluster.run(pod, container, ["sha256sum", path])
            except Failure:
                return False
            return done.out.split()[:1] == [digest(password)]

        with ThreadPoolExecutor(8) as pool:
            return sum(pool.map(sees, pods)), len(pods)

    def wait_for_files(self, password: str, *, everybody: bool) -> None:
        """Waits until the first pod, or every one, sees the password.

        Raises:
            Failure: The kubelets did not bring it in time.
        """
        deadline = time.monotonic() + _SECONDS
        while True:
            seen, pods = self.pods_with(password)
            if seen == pods or (seen and not everybody):
                return
            if time.monotonic() > deadline:
                raise Failure(
                    f"Only {seen} of {pods} backend pods see the new password after "
                    f"{_SECONDS:.0f} s; run this again, it goes on from here."
                )

    def alter_role(self, password: str) -> None:
        """Sets the role's password; the server gets a verifier only."""
        statement = f"ALTER ROLE \"{self.stack.database.user}\" PASSWORD '{verifier(password)}';"
        database.sql(self.stack, self.cluster, statement)

    def disown(self) -> None:
        """Leaves the Secrets' fields to Pulumi again, so that its update meets no conflict."""
        for name in set(self.secret_names().values()):
            self.cluster.disown(self.cluster.path("secrets", name))

    def update_state(self) -> None:
        """Runs `pulumi up` for the Secrets and the backend alone.

        Raises:
            Failure: It failed; a second run goes on from here.
        """
        self.stack.pulumi.update(*TARGETS)
