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


class _Model(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True
    )


class Paths(_Model):
    """Where a service answers over HTTP."""

    liveness: str | None = None
    readiness: str | None = None
    metrics: str | None = None


class Service(_Model):
    """One Deployment or StatefulSet, and the Kubernetes Service in front of it."""

    name: str
    """What people call it: `logs <name>`, `forward --<name>`."""
    role: str
    """What it is for: `frontend` is what a browser opens, `backend` serves it, `database`."""
    kind: Literal["Deployment", "StatefulSet"]
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
    image: str
    paths: Paths | None
    metrics_port: int | None
    local_port: int | None
    """Port of this machine that `forward` takes; None: it is not forwarded."""
    writes_to_database: bool = False
    """Whether it is stopped while the database is swapped."""

    @property
    def is_inside_only(self) -> bool:
        """Whether its address means something inside the cluster only."""
        return self.url is not None and ".svc:" in self.url


class Backup(_Model):
    """The CronJob that writes backups."""

    cron_job: str
    claim: str
    container: str
    schedule: str


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


class ExternalDatabase(_Database):
    """A PostgreSQL server that somebody else runs."""

    mode: Literal["external"]


Database = Annotated[InClusterDatabase | ExternalDatabase, Field(discriminator="mode")]


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
    def server(self) -> InClusterDatabase | None:
        """The database's server, where it runs in the cluster."""
        return self.database if isinstance(self.database, InClusterDatabase) else None

    def required_server(self) -> InClusterDatabase:
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
        raise Failure(
            f"The stack was deployed by another version of the program (output {where}: "
            f"{first['msg']}); run `make up` (or pulumi up) with this one.",
            ExitCode.UNREACHABLE,
        ) from None
