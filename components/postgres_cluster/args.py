"""Arguments of PostgresCluster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_kubernetes as k8s

from ..cluster.api import Api
from ..network.policies import NODE_LOCAL_DNS, Peer
from ..postgres.roles import SUPERUSER
from ..values.metrics import Metrics, NoMetrics
from ..values.postgres.cluster import (
    CLUSTER_IMAGE,
    MOST_INSTANCES,
    OPERATOR_NAMESPACE,
    ContinuousBackup,
)
from ..values.postgres.input_names import InputNames
from ..values.postgres.sizes import SERVER_RESOURCES, STORAGE_SIZE
from ..values.resources import Resources


@dataclass(frozen=True, kw_only=True)
class StoreCredentials:
    """A Secret with what opens the object store of the backups."""

    secret: pulumi.Input[str]
    """Its name."""
    key_id: str
    """The key of the Secret that has the access key's ID."""
    secret_key: str
    """The key of the Secret that has the secret access key."""


@dataclass(frozen=True, kw_only=True)
class PostgresClusterArgs:
    """Arguments of PostgresCluster; the first and one of the next two are required."""

    namespace: pulumi.Input[str]
    password: pulumi.Input[str] | None = None
    """The password of the application's role; None when `existing_secret` has it."""
    existing_secret: pulumi.Input[str] | None = None
    """Name of a Secret of type kubernetes.io/basic-auth that something else keeps: `username` (the
    role) and `password`."""

    object_name: str | None = None
    """Name of the Cluster, with which all its objects begin; None: the component's."""
    instance: str | None = None
    """The label app.kubernetes.io/instance, which tells two copies of one application apart; None:
    the component's name."""

    # What runs
    image: str = CLUSTER_IMAGE
    """An image with the contract of CloudNativePG's, whose tag begins with the version."""
    pull_secrets: Sequence[str] = ()
    """Names of Secrets in the namespace with the registry's credentials."""
    instances: int = 1
    """One that is written to; the others follow it, and one takes its place when it fails."""
    synchronous: bool = False
    """Whether a commit waits until a second instance has it."""
    database: str = "app"
    """Name of the application's database, made in a new cluster."""
    user: str = "app"
    """Name of the application's role, which owns the database and is no superuser."""
    resources: Resources = SERVER_RESOURCES
    """Of each instance; its memory settings follow from the limit."""
    max_connections: int = 100
    """How many clients may be connected to an instance."""

    # Data
    storage_size: str = STORAGE_SIZE
    """Size of each instance's volume; it can grow where the storage class allows it."""
    storage_class: str | None = None
    """Storage class of the volumes; None: the cluster's default."""
    backup: ContinuousBackup | None = None
    archive_name: pulumi.Input[str] | None = None
    """What its folder in the store is called; None: as the Cluster. A Cluster that is made anew
    archives into no folder that has another's, so it needs another name."""
    store_credentials: StoreCredentials | None = None
    """What opens the backup's store; required with `backup`."""
    metrics: Metrics = field(default_factory=NoMetrics)
    """Who reads the metrics that each instance has on port 9187."""
    protect: bool = True
    """Whether Pulumi refuses to delete or replace the Cluster."""

    # Who reaches it
    clients: Sequence[Peer] = ()
    """Who may connect: pods of the namespace by their labels, or others."""
    operator_namespace: str = OPERATOR_NAMESPACE
    """Where the operator is, which asks each instance how it is."""
    dns_cidrs: Sequence[str] | None = (NODE_LOCAL_DNS,)
    """Addresses of name servers that the instances may ask besides those of kube-system; None:
    whether they may ask any is for another policy to say, such as that of `declare_default_deny`.
    """

    # Where it runs
    preferred_nodes: Mapping[str, str] = field(default_factory=dict[str, str])
    """Labels of the nodes that the instances prefer."""
    node_selector: Mapping[str, str] = field(default_factory=dict[str, str])
    """Labels of the nodes that the instances may run on."""
    tolerations: Sequence[k8s.core.v1.TolerationArgs] = ()
    priority_class: str | None = None

    # Whatever else
    api: Api | None = None
    """To wait until the operator is done, and to look at a Cluster that was kept; None: nobody
    waits."""
    annotation_prefix: str = "kubernetes-app-components"
    """What the annotation begins with in which the Cluster remembers what it was made with."""
    input_names: InputNames = field(default_factory=lambda: _NAMES)
    """What messages call these arguments."""

    def __post_init__(self) -> None:
        """Checks what would otherwise fail in the cluster.

        Raises:
            ValueError: An argument is wrong; says which, and what is allowed.
        """
        if (self.password is None) == (self.existing_secret is None):
            raise ValueError("PostgresCluster needs exactly one of password and existing_secret")
        if self.user == SUPERUSER:
            raise ValueError(f"user {SUPERUSER} is the server's superuser: expected another name")
        if self.user.startswith("cnpg_"):
            raise ValueError(f"user {self.user} is the operator's: expected another name")
        if not 1 <= self.instances <= MOST_INSTANCES:
            raise ValueError(f"expected 1 to {MOST_INSTANCES} instances, not {self.instances}")
        if self.synchronous and self.instances == 1:
            raise ValueError("expected at least 2 instances with synchronous: one has to follow")
        if (self.backup is None) != (self.store_credentials is None):
            raise ValueError("expected store_credentials with backup, and only with it")


_CLASS = PostgresClusterArgs.__name__
_NAMES = InputNames(
    server=_CLASS,
    image=f"{_CLASS}.image",
    database=f"{_CLASS}.database",
    user=f"{_CLASS}.user",
    storage_size=f"{_CLASS}.storage_size",
    storage_class=f"{_CLASS}.storage_class",
    guide="docs/components/postgres-cluster.md",
)
