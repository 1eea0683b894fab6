"""Changing the database's password while requests go on.

PostgreSQL knows one password per role, so somewhere between the old and the new one there is an
instant in which a new connection with the wrong one is refused. The backend reads its password file
for each new connection and tries for five seconds, so that instant only has to be short:

1. The new password goes into the stack's configuration, encrypted. From here on a second run goes
   on with it instead of making another.
2. The Secrets that are mounted, or that an operator reads, get it, and a note on each pod makes its
   kubelet look at once. An operator sets the role's password by itself then, to the same.
3. As soon as the first pod's file has it, ALTER ROLE sets it. Connections that are open stay open.
4. `pulumi up` makes the same of the state, which rolls the backend pods; both sides agree by then.
"""

import base64
from dataclasses import dataclass
from functools import cached_property

from cluster_objects.json_tree import part
from console.failure import ExitCode, Failure
from ops import database, servers
from ops.contract import Secret
from ops.kube import Cluster
from ops.password_places import PASSWORD, places
from ops.scram import verifier
from ops.secret_files import SecretFiles, digest
from ops.stack import Stack

_PENDING = "todo-ops/rotation-pending"


@dataclass
class PasswordRotation:
    """The places that know the password."""

    stack: Stack
    cluster: Cluster

    @cached_property
    def secret(self) -> Secret:
        """The password, as the application knows it."""
        return self.stack.contract.secret(PASSWORD)

    @cached_property
    def files(self) -> SecretFiles:
        """Where pods read it."""
        return SecretFiles(self.stack, self.cluster, PASSWORD)

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
                "change it there, then run `python -m ops sync-secrets`.",
                ExitCode.USAGE,
            )
        return password

    def configure(self, password: str) -> None:
        """Writes the password, encrypted, into the stack's configuration."""
        self.stack.pulumi.set_secret(self.secret.config_key, password)

    @property
    def keys(self) -> list[tuple[str, str]]:
        """The Secrets that the application and the server have it from, each with its key.

        Asked each time: Pulumi's update names the Secrets of the pods anew.
        """
        return sorted({(it.secret, it.key) for it in places(self.stack, self.cluster)})

    def pending(self) -> bool:
        """Returns whether an earlier rotation did not get to its end."""
        found = [self.cluster.get("Secret", name) for name, _ in self.keys]
        return any(_PENDING in part(it, "metadata", "annotations") for it in found)

    def finish(self) -> None:
        """Notes that the rotation is complete, and leaves the Secrets to Pulumi."""
        for name, _ in self.keys:
            self.cluster.patch("Secret", name, {"metadata": {"annotations": {_PENDING: None}}})
            self.cluster.release_fields("Secret", name)

    def stored(self) -> set[str]:
        """Returns the digests of the passwords in the Secrets."""
        found = [(self.cluster.get("Secret", name), key) for name, key in self.keys]
        values = [part(secret, "data").get(key, "") for secret, key in found]
        return {digest(base64.b64decode(value).decode()) for value in values}

    def accepts(self, password: str) -> bool:
        """Returns whether the server accepts the password over the network.

        Raises:
            Failure: It does not answer.
        """
        names = self.stack.contract.database
        server = servers.primary(self.stack, self.cluster)
        script = (
            'read -r PGPASSWORD; export PGPASSWORD; exec psql -X -w -A -t -h 127.0.0.1 -U "$0" '
            '-d "$1" -c "SELECT 1"'
        )
        done = self.cluster.run(
            server.pod,
            server.container,
            ["sh", "-c", script, names.user, names.name],
            stdin=f"{password}\n",
        )
        if done.code and "password authentication failed" not in done.err:
            raise Failure(
                "The database does not answer; look at `python -m ops status`, then run this again."
            )
        return done.code == 0

    def require_accepted(self, password: str) -> None:
        """Checks that the server accepts a new password.

        Raises:
            Failure: It does not, or does not answer.
        """
        if not self.accepts(password):
            raise Failure("The database does not accept the new password; run this again.")

    def store(self, password: str) -> None:
        """Puts the password into the Secrets, and makes the kubelets look at once."""
        value = base64.b64encode(password.encode()).decode()
        pending = {"annotations": {_PENDING: "true"}}
        for name, key in self.keys:
            body = {"data": {key: value}, "metadata": pending}
            self.cluster.patch("Secret", name, body)
        self.files.hurry()

    def alter_role(self, password: str) -> None:
        """Sets the role's password; the server gets a verifier only."""
        statement = (
            f"ALTER ROLE \"{self.stack.contract.database.user}\" PASSWORD '{verifier(password)}';"
        )
        database.sql(self.stack, self.cluster, statement)

    def release_fields(self) -> None:
        """Leaves the Secrets' fields to Pulumi again, so that its update meets no conflict."""
        for name, _ in self.keys:
            self.cluster.release_fields("Secret", name)

    def update_state(self) -> None:
        """Runs `pulumi up` for the Secrets and the pods that read them alone.

        Raises:
            Failure: It failed; a second run goes on from here.
        """
        self.stack.pulumi.up(self.secret.targets)
