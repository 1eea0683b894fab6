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

from cluster_objects.json_tree import Json, part
from console.failure import ExitCode, Failure
from console.waiting import wait_until
from ops import database
from ops.contract import Secret, Service
from ops.kube import Cluster
from ops.scram import verifier
from ops.stack import Stack
from ops.workloads import is_ready, mounted_secret, selector_of

PASSWORD = "databasePassword"  # noqa: S105 - what the contract calls it
_CHANGED = "todo-ops/secrets-changed"
_PENDING = "todo-ops/rotation-pending"
_SECONDS = 150.0


def digest(password: str) -> str:
    """Returns a digest for comparing; the password itself is never shown."""
    return hashlib.sha256(password.encode()).hexdigest()


@dataclass
class PasswordRotation:
    """The places that know the password."""

    stack: Stack
    cluster: Cluster

    @cached_property
    def secret(self) -> Secret:
        """The password, as the application knows it."""
        return self.stack.contract.secret(PASSWORD)

    def configured(self) -> str:
        """Returns the password in the stack's configuration.

        Raises:
            Failure: There is none, because an external store has it.
        """
        password = None
        if self.secret.generated:
            password = self.stack.pulumi.config(self.secret.config_key)
        if password is None:
            raise Failure(
                "This stack's password is not in its configuration; if an external store has it, "
                "change it there and in the database.",
                ExitCode.USAGE,
            )
        return password

    def configure(self, password: str) -> None:
        """Writes the password, encrypted, into the stack's configuration."""
        self.stack.pulumi.set_secret(self.secret.config_key, password)

    @cached_property
    def _readers(self) -> list[tuple[Service, Secret, str]]:
        """The services that connect with the password, with the selectors of their pods."""
        found = self.stack.contract.readers(PASSWORD).items()
        return [(it, secret, selector_of(self._workload(it))) for it, secret in found]

    def _workload(self, service: Service) -> Json:
        return self.cluster.get(service.kind, service.workload)

    def secret_names(self) -> list[str]:
        """Returns the Secrets that the pods of the application and of the server mount."""
        services = [*(it for it, *_ in self._readers), self.stack.contract.of_role("database")]
        names = {mounted_secret(self._workload(it)) for it in services}
        return sorted(name for name in names if name)

    def pending(self) -> bool:
        """Returns whether an earlier rotation did not get to its end."""
        return any(_PENDING in part(it, "metadata", "annotations") for it in self._secrets())

    def finish(self) -> None:
        """Notes that the rotation is complete, and leaves the Secrets to Pulumi."""
        for name in self.secret_names():
            self.cluster.patch("Secret", name, {"metadata": {"annotations": {_PENDING: None}}})
            self.cluster.release_fields("Secret", name)

    def _secrets(self) -> list[Json]:
        return [self.cluster.get("Secret", name) for name in self.secret_names()]

    def stored(self) -> set[str]:
        """Returns the digests of the passwords in the mounted Secrets."""
        values = [part(it, "data").get(self.secret.file, "") for it in self._secrets()]
        return {digest(base64.b64decode(value).decode()) for value in values}

    def accepts(self, password: str) -> bool:
        """Returns whether the server accepts the password over the network."""
        server = self.stack.contract.required_server()
        script = (
            'read -r PGPASSWORD; export PGPASSWORD; exec psql -X -w -A -t -h 127.0.0.1 -U "$0" '
            '-d "$1" -c "SELECT 1"'
        )
        done = self.cluster.run(
            server.pod,
            server.container,
            ["sh", "-c", script, server.user, server.name],
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
        pending = {"annotations": {_PENDING: "true"}}
        for name in self.secret_names():
            body = {"data": {self.secret.file: value}, "metadata": pending}
            self.cluster.patch("Secret", name, body)
        note = {"metadata": {"annotations": {_CHANGED: str(time.time())}}}
        for pod, *_ in self._pods():
            self.cluster.patch("Pod", pod, note)

    def _pods(self) -> list[tuple[str, str, str]]:
        """Returns the pods that connect with it and are ready: name, container, password file."""
        return [
            (pod["metadata"]["name"], service.container, f"{secret.mount_path}/{secret.file}")
            for service, secret, selector in self._readers
            for pod in self.cluster.pods(selector)
            if is_ready(pod)
        ]

    def pods_with(self, password: str) -> tuple[int, int]:
        """Returns how many of those pods see the password, and how many there are."""
        pods = self._pods()

        def sees(pod: tuple[str, str, str]) -> bool:
            name, container, path = pod
            try:
                done = self.cluster.run(name, container, ["sha256sum", path])
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
        seen, pods = 0, 0

        def enough() -> bool:
            nonlocal seen, pods
            seen, pods = self.pods_with(password)
            return seen == pods or (bool(seen) and not everybody)

        wait_until(
            enough,
            _SECONDS,
            lambda: (
                f"Only {seen} of {pods} pods see the new password after "
                f"{_SECONDS:.0f} s; run this again, it goes on from here."
            ),
            every=0,
        )

    def alter_role(self, password: str) -> None:
        """Sets the role's password; the server gets a verifier only."""
        statement = (
            f"ALTER ROLE \"{self.stack.contract.database.user}\" PASSWORD '{verifier(password)}';"
        )
        database.sql(self.stack, self.cluster, statement)

    def release_fields(self) -> None:
        """Leaves the Secrets' fields to Pulumi again, so that its update meets no conflict."""
        for name in self.secret_names():
            self.cluster.release_fields("Secret", name)

    def update_state(self) -> None:
        """Runs `pulumi up` for the Secrets and the pods that read them alone.

        Raises:
            Failure: It failed; a second run goes on from here.
        """
        self.stack.pulumi.up(self.secret.targets)
