"""The arguments of AppDeployment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi

from ..cluster.api import Api
from ..secrets.files import SecretFiles
from ..values.exposure import ClusterIp, Exposure
from ..values.metrics import Metrics, NoMetrics
from ..values.resources import Resources
from ..values.scaling import Fixed, Scaling

CONFIG_PATH = "/etc/app"
DEFAULT_RESOURCES = Resources(
    cpu_request="100m", cpu_limit="500m", memory_request="128Mi", memory_limit="256Mi"
)


@dataclass(frozen=True, kw_only=True)
class AppDeploymentArgs:
    """Arguments of AppDeployment; only the first three are required."""

    image: pulumi.Input[str]
    """Image reference with a fixed tag or a digest."""
    namespace: pulumi.Input[str]
    port: int
    """Port the container listens on; the Service has the same."""

    object_name: str | None = None
    """Name of the Kubernetes objects; None: the component's. Two namespaces may have the same."""

    # What runs
    pull_secrets: Sequence[str] = ()
    """Names of Secrets in the namespace with the registry's credentials."""
    component: str = "app"
    """The label app.kubernetes.io/component."""
    instance: str = "todo"
    """The label app.kubernetes.io/instance; tells two copies of one application apart."""
    env: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    config_files: Mapping[str, pulumi.Input[str]] = field(
        default_factory=dict[str, pulumi.Input[str]]
    )
    """File name to contents, mounted read-only at `CONFIG_PATH`; a change rolls the pods."""
    secret_files: SecretFiles | None = None
    """Secrets as files: unlike variables they do not leak into child processes and dumps."""
    init_command: Sequence[str] | None = None
    """Runs before the application in every new pod, e.g. migrations; two may run at once."""

    # Health
    liveness_path: str = "/health"
    """Answers while the process works, whatever its dependencies do: a restart mends none."""
    readiness_path: str = "/ready"
    """Answers when a request could be served, dependencies included."""
    metrics_path: str | None = None
    """Where Prometheus metrics are, if anywhere."""
    metrics_port: int | None = None
    """The port they are on, if it is another one: what is public need not show them."""

    # Size and reach
    resources: Resources = DEFAULT_RESOURCES
    scaling: Scaling = field(default_factory=Fixed)
    exposure: Exposure = field(default_factory=ClusterIp)
    headless: bool = False
    """Whether the name with `-pods` leads to every pod, ready or not, so that peers know them."""
    metrics: Metrics = field(default_factory=NoMetrics)

    # Security
    user: int = 10001
    """User and group ID; above 10000 so that it is nobody's on the node."""
    writable_paths: Sequence[str] = ("/tmp",)  # noqa: S108 - a mount point
    """Paths that become emptyDirs; all else is read-only."""

    # Termination
    pre_stop_seconds: int = 5
    """Wait before SIGTERM, so that every node stops sending requests first."""
    drain_seconds: int = 25
    """Time after SIGTERM to finish running requests."""

    api: Api | None = None
    """To watch the pods of a rollout; None: only the plugin says what is wrong."""
