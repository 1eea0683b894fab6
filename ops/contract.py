"""The stack output `operations`: all that operations need to know of a deployed application.

The program writes it (components/todo/contract.py), nothing here imports the program: another
application that writes the same output can be looked after with the same commands.
"""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from console.failure import ExitCode, Failure

T = TypeVar("T")


class UnreadableOperationsError(Failure):
    """What a program of another version says to operations."""

    def __init__(self, what: str) -> None:
        """Keeps what cannot be read.

        Args:
            what: Which output, and why.
        """
        super().__init__(
            f"The stack was deployed by another version of the program ({what}); run `make up` (or "
            "pulumi up) with this one.",
            ExitCode.UNREACHABLE,
        )
        self.what = what


class _Model(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True
    )


class Paths(_Model):
    """Where a service answers over HTTP."""

    liveness: str | None = None
    readiness: str | None = None
    metrics: str | None = None


class Authority(_Model):
    """A ConfigMap whose `ca.crt` signs the certificate of an address."""

    namespace: str
    config_map: str


class Signature(_Model):
    """Whose signature an image has in its registry, and its bill of materials there."""

    public_key: str
    """As PEM."""
    ca_bundle: str | None = None
    """Who signs the registry's certificate, as PEM; None: somebody whom every machine trusts."""


class Service(_Model):
    """One Deployment, StatefulSet or CloudNativePG Cluster, and the Service in front of it."""

    name: str
    """What people call it: `logs <name>`, `forward --<name>`."""
    role: str
    """What it is for: `frontend` is what a browser opens, `backend` serves it, `database`."""
    kind: Literal["Deployment", "StatefulSet", "Cluster"]
    workload: str
    """Name of the object of that kind."""
    component: str
    """Its pods' label app.kubernetes.io/component."""
    container: str
    service: str | None
    """Name of the Service; None: nothing connects to it."""
    port: int | None
    """Port of the Service and of the pods."""
    url: str | None
    """Where it answers, from outside the cluster if it can be reached from there."""
    authority: Authority | None = None
    """Who signs the certificate there, if it is nobody that every machine trusts."""
    image: str
    image_setting: str | None = None
    """Path in the stack's configuration that names another image; None: nothing does."""
    image_build: str | None = None
    """URN of what builds the image; None: it is not built with the stack."""
    paths: Paths | None
    metrics_port: int | None
    local_port: int | None
    """Port of this machine that `forward` takes; None: it is not forwarded."""
    signature: Signature | None = None
    """What all images of its pods have to have; None: nothing."""
    writes_to_database: bool = False
    """Whether it is stopped while the database is swapped."""

    @property
    def is_inside_only(self) -> bool:
        """Whether its address means something inside the cluster only."""
        return self.url is not None and ".svc:" in self.url


class Drill(_Model):
    """The CronJob that proves that the newest backup can be restored."""

    cron_job: str
    container: str


class BackupStore(_Model):
    """The object store that backups go to."""

    container: str
    """What brings them there and back, told by its last argument what to do."""
    owner: str
    """Whose the stack's own backups are, of all in the same folder."""
    address: str
    """Where they are, as a person reads it."""


class Backup(_Model):
    """The CronJob that writes backups."""

    cron_job: str
    claim: str | None
    """None: they go to an object store."""
    container: str
    """What has PostgreSQL's programs."""
    schedule: str
    drill: Drill | None = None
    """None: no schedule proves it."""
    store: BackupStore | None = None
    """None: they go to the claim."""


class Upgrade(_Model):
    """What it takes to bring the data to the server's next volume."""

    volume: int
    """Which one the server has, counted from 1."""
    config_key: str
    """Key in the stack's configuration with that number, a path with its namespace."""
    image_key: str
    """The setting with the image."""
    claims: tuple[str, ...]
    """Names of the claims of all volumes that there were, and of the next one."""
    note: str
    """Annotation of a StatefulSet and of its claim: what the volume is made with."""
    targets: tuple[str, ...]
    """URNs of the resources that another image changes, the StatefulSet's first."""

    @property
    def claim(self) -> str:
        """The claim of the volume that the server has."""
        return self.claims[self.volume - 1]

    @property
    def next_claim(self) -> str:
        """The claim of the volume that it gets."""
        return self.claims[self.volume]


class _Database(_Model):
    user: str
    """The application's role."""
    host: str
    port: int
    name: str


class InClusterDatabase(_Database):
    """A PostgreSQL server in a pod of the stack."""

    mode: Literal["inCluster"]
    superuser: str
    service: str
    pod: str
    container: str
    claim: str
    data_path: str
    """Where the claim is mounted."""
    backup: Backup | None
    upgrade: Upgrade | None = None
    """None: the stack was deployed by a version that knew no other volume."""


class ScheduledBackup(_Model):
    """The ScheduledBackup by which an operator writes base backups to an object store."""

    scheduled_backup: str
    schedule: str
    drill: Drill | None = None
    """None: no schedule proves that it can be recovered."""


class SecretKey(_Model):
    """One value of a Secret."""

    name: str
    key: str


class OperatorDatabase(_Database):
    """PostgreSQL servers that CloudNativePG runs: one takes writes, the others follow it."""

    mode: Literal["operator"]
    superuser: str
    cluster: str
    """Name of the Cluster object."""
    container: str
    data_path: str
    """Where each server's claim is mounted."""
    password_secret: SecretKey
    """What the operator reads the password of the application's role from."""
    backup: ScheduledBackup | None
    """None: nothing is archived, so there is no recovery to a moment."""


class ExternalDatabase(_Database):
    """A PostgreSQL server that somebody else runs."""

    mode: Literal["external"]


Database = Annotated[
    InClusterDatabase | OperatorDatabase | ExternalDatabase, Field(discriminator="mode")
]


class Secret(_Model):
    """A secret that a service reads from a file; two services that read it are two entries."""

    name: str
    file: str
    """Key in the Secret, and file name."""
    config_key: str
    """Key in the stack's configuration, with its namespace."""
    service: str
    """Name of the service that mounts it."""
    mount_path: str
    generated: bool
    """Whether the stack's configuration has it; else an external store does."""
    targets: tuple[str, ...]
    """URNs of the resources that a new value changes, those of all its readers."""


class Session(_Model):
    """What signs people in."""

    minutes_command: tuple[str, ...]
    """Run in the backend's container: prints for how many minutes a session is valid."""


class Move(_Model):
    """How the database gets from one kind of server to another."""

    config_key: str
    """Key in the stack's configuration that is there from a move's begin to its end."""
    targets: dict[str, tuple[str, ...]]
    """`database.mode` to the URNs, with wildcards, of what has to be there first."""
    cluster: str | None = None
    """Name of the Cluster that there is with mode operator."""


class Operations(_Model):
    """The output as a whole."""

    version: Literal[1]
    instance: str
    namespace: str
    kube_context: str | None
    kubeconfig: str | None
    """A path or the contents; None: as kubectl finds it."""
    services: tuple[Service, ...]
    database: Database
    secrets: tuple[Secret, ...]
    """All that there may be, also those without a value now."""
    session: Session | None
    move: Move | None = None
    """None: the database stays with the kind of server that it has."""

    def service(self, name: str) -> Service:
        """Returns the service of a name; Failure: there is none."""
        return _only(f"service {name}", (it for it in self.services if it.name == name))

    def of_role(self, role: str) -> Service:
        """Returns the service that has a role; Failure: there is none."""
        return _only(role, (it for it in self.services if it.role == role))

    def secret(self, name: str) -> Secret:
        """Returns the secret of a name; Failure: there is none."""
        return _only(f"secret {name}", (it for it in self.secrets if it.name == name))

    def readers(self, name: str) -> dict[Service, Secret]:
        """Returns the services that read a secret, and how each has it."""
        return {self.service(it.service): it for it in self.secrets if it.name == name}

    @property
    def server(self) -> InClusterDatabase | OperatorDatabase | None:
        """The database's server, where the stack has one."""
        return None if isinstance(self.database, ExternalDatabase) else self.database

    @property
    def drill(self) -> Drill | None:
        """What proves by schedule that the server's backups can be restored."""
        backup = self.server.backup if self.server else None
        return backup.drill if backup else None

    def required_server(self) -> InClusterDatabase | OperatorDatabase:
        """Returns the database's server.

        Raises:
            Failure: The database is outside the cluster.
        """
        if self.server is None:
            raise Failure(
                f"This stack's database is outside the cluster (at {self.database.host}); use the "
                "tools of whoever runs it.",
                ExitCode.USAGE,
            )
        return self.server


def _only(what: str, found: Iterator[T]) -> T:
    for it in found:
        return it
    raise Failure(f"This stack has no {what}.", ExitCode.USAGE)


def operations_in(outputs: dict[str, Any]) -> Operations:
    """Returns what a stack's outputs say to operations.

    Raises:
        Failure: The stack is not deployed, or was deployed by a program of another version.
    """
    if not outputs:
        raise Failure(
            "The stack has no outputs, so it is not deployed; run `make up` (or pulumi up) first.",
            ExitCode.UNREACHABLE,
        )
    if "operations" not in outputs:
        raise Failure(
            "The stack was deployed by an earlier version of the program, which says nothing to "
            "operations; run `make up` (or pulumi up) once.",
            ExitCode.UNREACHABLE,
        )
    try:
        return TypeAdapter(Operations).validate_python(outputs["operations"])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in ("operations", *first["loc"]))
        raise UnreadableOperationsError(f"output {where}: {first['msg']}") from None
