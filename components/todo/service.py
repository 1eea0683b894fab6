"""What a stack says of each service; policies, quota, URLs, outputs and wiring follow from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from components.pod.probes import HttpProbe, NoProbe, Probe
from components.postgres.pod import PORT
from components.postgres_cluster.cluster import WRITABLE
from components.todo.images import BaseImage
from components.todo.secret_table import SecretDescription
from components.todo.settings.database import InClusterDatabase
from components.todo.settings.operator_database import OperatorDatabase
from components.values.exposure import ClusterIpExposure, Exposure
from components.values.resources import Resources
from components.values.scaling import Fixed, Scaling


@dataclass(frozen=True, kw_only=True)
class BuiltImage:
    """Built from the folder of the service's name in `apps/`, as the settings' `images` say."""

    base_images: Mapping[str, BaseImage]
    """The Dockerfile's arguments that name a base image."""


@dataclass(frozen=True, kw_only=True)
class ImageOf:
    """The same image as another service's, for another command."""

    service: str


@dataclass(frozen=True, kw_only=True)
class PublishedImage:
    """An image of others, with a fixed tag or a digest."""

    reference: str


Image = BuiltImage | ImageOf | PublishedImage


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """A port of addresses outside the cluster."""

    cidr: str
    port: int


@dataclass(frozen=True, kw_only=True)
class ServiceDescription:
    """Stateless pods of one kind, and the Kubernetes Service in front of them."""

    name: str
    """The name of its objects and in the outputs, and the label app.kubernetes.io/component."""

    # What runs
    image: Image
    command: Sequence[str] | None = None
    """Instead of the image's entrypoint."""
    args: Sequence[str] | None = None
    """Instead of the image's arguments."""
    init_command: Sequence[str] | None = None
    """Runs before the service in every new pod."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    config_files: Mapping[str, str] = field(default_factory=dict[str, str])
    secrets: Sequence[SecretDescription] = ()
    """The secrets it reads; a variable each says in which file, if the stack has it."""
    writable_paths: Sequence[str] = ("/tmp",)  # noqa: S108 - a mount point
    waits_for: Sequence[str] = ()
    """Services whose pods have to be ready before its own are made."""

    # Health
    liveness: Probe = field(default_factory=NoProbe)
    readiness: Probe = field(default_factory=NoProbe)
    metrics_path: str | None = None
    metrics_port: int | None = None
    """Where Prometheus metrics are, if not at the port."""

    # Size
    resources: Resources
    scaling: Scaling = field(default_factory=Fixed)
    pre_stop_seconds: int = 5
    """Wait before a pod is told to stop, for all that send it requests to learn of it."""

    # Who reaches it, and whom it reaches
    port: int | None = None
    """The port that others connect to; None: nobody connects to it."""
    exposure: Exposure = field(default_factory=ClusterIpExposure)
    reaches: Sequence[str | Addresses] = ()
    """Whom it may connect to: services by their names, and addresses outside the cluster."""
    headless: bool = False
    """Whether `<name>-pods` resolves to the addresses of its pods."""
    local_port: int | None = None
    """The port of a person's machine that `make forward` takes; None: it is not forwarded."""

    @property
    def object_name(self) -> str:
        """The name of its objects."""
        return self.name

    @property
    def speaks_http(self) -> bool:
        """Whether it answers at a URL: it is asked over HTTP whether it is ready."""
        return self.port is not None and isinstance(self.readiness, HttpProbe)


@dataclass(frozen=True, kw_only=True)
class PostgresService:
    """A PostgreSQL server of the stack."""

    name: str
    object_name: str
    """The name of its objects, by which clients find it."""
    settings: InClusterDatabase
    local_port: int | None = None
    """The port of a person's machine that `make forward` takes."""

    @property
    def host(self) -> str:
        """Where it answers."""
        return self.object_name

    @property
    def port(self) -> int:
        """The port it listens on."""
        return PORT


@dataclass(frozen=True, kw_only=True)
class PostgresClusterService:
    """PostgreSQL instances of the stack that an operator runs."""

    name: str
    object_name: str
    """The name of its objects."""
    settings: OperatorDatabase
    local_port: int | None = None
    """The port of a person's machine that `make forward` takes."""

    @property
    def host(self) -> str:
        """Where the instance that is written to answers."""
        return f"{self.object_name}{WRITABLE}"

    @property
    def port(self) -> int:
        """The port they listen on."""
        return PORT


@dataclass(frozen=True, kw_only=True)
class ExternalService:
    """What somebody else runs outside the cluster."""

    name: str
    host: str
    port: int
    cidr: str
    """Addresses that it may be reached at."""


AnyService = ServiceDescription | PostgresService | PostgresClusterService | ExternalService
"""Whatever has a name by which services say whom they reach."""
