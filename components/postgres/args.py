"""Arguments of PostgresStatefulSet."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_kubernetes as k8s

from ..cluster.api import Api
from ..network.policies import NODE_LOCAL_DNS, Peer
from ..secrets.files import SecretFiles
from ..values.metrics import ScrapeAnnotations, ServiceMonitorMetrics
from ..values.object_store import ObjectStore
from ..values.postgres.backup import Backup
from ..values.postgres.image import DEFAULT_IMAGE, EXPORTER_IMAGE, RESTIC_IMAGE, check_image
from ..values.postgres.input_names import InputNames
from ..values.postgres.names import METRICS_ROLE
from ..values.postgres.sizes import SERVER_RESOURCES, STORAGE_SIZE
from ..values.resources import Resources
from .roles import SUPERUSER

core = k8s.core.v1
StatefulSetSpecArgs = k8s.apps.v1.StatefulSetSpecArgs


@dataclass(frozen=True, kw_only=True)
class PostgresMetrics:
    """How the metrics of a server are read."""

    image: str = EXPORTER_IMAGE
    """The exporter: https://github.com/prometheus-community/postgres_exporter."""
    scraped: ScrapeAnnotations | ServiceMonitorMetrics = field(default_factory=ScrapeAnnotations)
    """How Prometheus finds it."""


@dataclass(frozen=True, kw_only=True)
class BackupStore:
    """An object store that the backups go to, instead of a volume."""

    store: ObjectStore
    secrets: SecretFiles
    """Files called as store_container.py says, with the credentials and the key of the backups."""
    keep_days: int = 0
    """Also kept, whatever their number: the backups of so many days before the newest."""
    image: str = RESTIC_IMAGE
    """restic 0.17 or newer, with a shell."""


@dataclass(frozen=True, kw_only=True)
class PostgresStatefulSetArgs:
    """Arguments of PostgresStatefulSet; the first and one of the next two are required."""

    namespace: pulumi.Input[str]
    password: pulumi.Input[str] | None = None
    """The password of the application's role; None when `existing_secret` has it."""
    existing_secret: pulumi.Input[str] | None = None
    """Name of a Secret that something else keeps."""
    password_key: str = "database-password"  # noqa: S105 - the name of a key
    """The key of the Secret that has the password."""

    object_name: str | None = None
    """Name of the Kubernetes objects; None: the component's. Two namespaces may have the same."""
    instance: str | None = None
    """The label app.kubernetes.io/instance, which tells two copies of one application apart; None:
    the component's name."""

    # What runs
    image: str = DEFAULT_IMAGE
    """An image with the contract of the official one, up to major version 17."""
    pull_secrets: Sequence[str] = ()
    """Names of Secrets in the namespace with the registry's credentials."""
    database: str = "app"
    """Name of the application's database, made in a new volume."""
    user: str = "app"
    """Name of the application's role, which owns the database and is no superuser."""
    resources: Resources = SERVER_RESOURCES
    """The server's memory settings follow from the limit."""
    max_connections: int = 100
    """How many clients may be connected; see connections.py."""

    # Data
    storage_size: str = STORAGE_SIZE
    """Size of a new data volume.

    A StatefulSet's claim template is immutable, so a change of this is refused; how a volume is
    enlarged is in docs/components/postgres-stateful-set.md.
    """
    storage_class: str | None = None
    """Storage class of a new data volume; None: the cluster's default."""
    volume: int = 1
    """Which of its volumes the server has, counted from 1: what is moved to a new one, as for
    another major version, counts up. An update to another is refused, and so is a later one that
    is not filled; how it is done is in docs/components/postgres-stateful-set.md."""
    backup: Backup | None = None
    backup_store: BackupStore | None = None
    """Where the backups go; None: to a volume of their own."""
    metrics: PostgresMetrics | None = None
    """None: nobody reads any. To begin with it restarts the server, whose new volume gets a role
    for it; how an older volume gets one is in docs/troubleshooting.md, "MetricsMissing"."""
    protect: bool = True
    """Whether Pulumi refuses to delete or replace the StatefulSet."""

    # Who reaches it
    clients: Sequence[Peer] = ()
    """Who may connect, besides the backups: pods of the namespace by their labels, or others."""
    dns_cidrs: Sequence[str] | None = (NODE_LOCAL_DNS,)
    """Addresses of name servers that the backups may ask besides those of kube-system; None:
    whether they may ask any is for another policy to say, such as that of `declare_default_deny`.
    """

    # Where it runs
    preferred_nodes: Mapping[str, str] = field(default_factory=dict[str, str])
    """Labels of the nodes that the pods with a volume prefer."""
    node_selector: Mapping[str, str] = field(default_factory=dict[str, str])
    """Labels of the nodes that the pods with a volume may run on."""
    tolerations: Sequence[core.TolerationArgs] = ()
    priority_class: str | None = None
    pod_annotations: Mapping[str, pulumi.Input[str]] = field(
        default_factory=dict[str, pulumi.Input[str]]
    )
    """Annotations of the server's pod and of the backups'."""
    service_account_annotations: Mapping[str, pulumi.Input[str]] = field(
        default_factory=dict[str, pulumi.Input[str]]
    )
    """Annotations of their ServiceAccounts, e.g. the cloud's role that the pods have."""

    # Whatever else
    customize: Callable[[StatefulSetSpecArgs], StatefulSetSpecArgs] | None = None
    """Has the last word on the StatefulSet's spec, for what no argument says."""
    api: Api | None = None
    """To watch the pod and ask the claim; None: the plugin's own view is believed."""
    annotation_prefix: str = "kubernetes-app-components"
    """What the annotations begin with in which volumes remember what they were made with. A change
    of it makes them forget."""
    input_names: InputNames = field(default_factory=InputNames)
    """What messages call these arguments."""

    def __post_init__(self) -> None:
        """Checks what would otherwise fail in the cluster, or lose data there.

        Raises:
            ValueError: An argument is wrong; says which, and what is allowed.
        """
        if (self.password is None) == (self.existing_secret is None):
            raise ValueError(
                "PostgresStatefulSet needs exactly one of password and existing_secret"
            )
        if self.user == SUPERUSER:
            raise ValueError(f"user {SUPERUSER} is the server's superuser: expected another name")
        if self.metrics and self.user == METRICS_ROLE:
            raise ValueError(f"user {METRICS_ROLE} reads the metrics: expected another name")
        check_image(self.image)
