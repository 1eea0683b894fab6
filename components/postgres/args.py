"""Arguments of PostgresStatefulSet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi

from ..cluster.api import Api
from ..values.resources import Resources
from .backup import Backup
from .image import DEFAULT_IMAGE

_RESOURCES = Resources(
    cpu_request="250m", cpu_limit="1", memory_request="256Mi", memory_limit="512Mi"
)


@dataclass(frozen=True, kw_only=True)
class PostgresStatefulSetArgs:
    """Arguments of PostgresStatefulSet."""

    namespace: pulumi.Input[str]
    password: pulumi.Input[str] | None = None
    """The password; None when `existing_secret` has it."""
    existing_secret: pulumi.Input[str] | None = None
    """Name of a Secret that something else keeps, with the key `database-password`."""
    object_name: str | None = None
    """Name of the Kubernetes objects; None: the component's. Two namespaces may have the same."""

    # What runs
    image: str = DEFAULT_IMAGE
    """An image with the contract of the official one, up to major version 17."""
    pull_secrets: Sequence[str] = ()
    """Names of Secrets in the namespace with the registry's credentials."""
    database: str = "postgres"
    user: str = "postgres"
    instance: str = "todo"
    """The label app.kubernetes.io/instance."""
    resources: Resources = _RESOURCES
    """The server's memory settings follow from the limit."""
    max_connections: int = 100
    """How many clients may be connected; see postgres_connections.py."""

    # Data
    storage_size: str = "1Gi"
    """Size of a new data volume.

    A StatefulSet's claim template is immutable, so a change of this is refused; how a volume is
    enlarged is in docs/operations.md.
    """
    storage_class: str | None = None
    """Storage class; None: the cluster's default."""
    volume_nodes: Mapping[str, str] = field(default_factory=dict[str, str])
    """Labels of the nodes that the pods with a volume prefer."""
    backup: Backup | None = None
    protect: bool = True
    """Whether Pulumi refuses to delete or replace the StatefulSet."""

    api: Api | None = None
    """To watch the pod and ask the claim; None: the plugin's own view is believed."""

    # Reach
    clients: Sequence[Mapping[str, str]] = ()
    """Pod labels of those who may connect."""
