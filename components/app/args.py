"""The arguments of AppDeployment."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_kubernetes as k8s

from ..cluster.api import Api
from ..network.policies import NODE_LOCAL_DNS, Peer
from ..pod.probes import HttpProbe, Probe, TcpProbe
from ..secrets.files import SecretFiles
from ..values.exposure import ClusterIpExposure, Exposure
from ..values.metrics import Metrics, NoMetrics, ServiceMonitorMetrics
from ..values.resources import Resources
from ..values.scaling import Fixed, Scaling, check_reach
from .probes import liveness_probe, readiness_probe, startup_probe

core = k8s.core.v1

CONFIG_PATH = "/etc/app"
DEFAULT_RESOURCES = Resources(
    cpu_request="100m", cpu_limit="500m", memory_request="128Mi", memory_limit="256Mi"
)


@dataclass(frozen=True, kw_only=True)
class AppDeploymentArgs:
    """Arguments of AppDeployment; only the first two are required."""

    image: pulumi.Input[str]
    """Image reference with a fixed tag or a digest."""
    namespace: pulumi.Input[str]
    port: int | None = None
    """Port the container listens on for HTTP, and the Service too; None: a worker, no Service."""

    object_name: str | None = None
    """Name of the Kubernetes objects; None: the component's. Two namespaces may have the same."""
    instance: str | None = None
    """The label app.kubernetes.io/instance, which tells two copies of one application apart; None:
    the component's name."""
    component: str = "app"
    """The label app.kubernetes.io/component."""

    # What runs
    command: Sequence[str] | None = None
    """Instead of the image's entrypoint."""
    args: Sequence[str] | None = None
    """Instead of the image's arguments (CMD)."""
    init_command: Sequence[str] | None = None
    """Runs before the application in every new pod, e.g. migrations; two may run at once."""
    env: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    config_files: Mapping[str, pulumi.Input[str]] = field(
        default_factory=dict[str, pulumi.Input[str]]
    )
    """File name to contents, mounted read-only at `CONFIG_PATH`; a change rolls the pods."""
    secret_files: SecretFiles | None = None
    """Secrets as files: unlike variables they do not leak into child processes and dumps."""
    pull_secrets: Sequence[str] = ()
    """Names of Secrets in the namespace with the registry's credentials."""

    # Health
    liveness: Probe | None = None
    """Succeeds while the process works, whatever its dependencies do: a restart repairs none. None:
    HTTP on /health where there is a port, else no probe."""
    readiness: Probe | None = None
    """Succeeds when a request could be served, dependencies included. None: HTTP on /ready where
    there is a port, else no probe."""
    startup: Probe | None = None
    """Succeeds once the process has started; only then do the other two count. None: what liveness
    asks, for up to two minutes."""

    # Size
    resources: Resources = DEFAULT_RESOURCES
    scaling: Scaling = field(default_factory=Fixed)

    # Who reaches it, and whom it reaches
    app_protocol: str | None = "http"
    """The Service's appProtocol, by which meshes and gateways go; None: plain TCP."""
    exposure: Exposure = field(default_factory=ClusterIpExposure)
    headless: bool = False
    """Whether the name with `-pods` leads to every pod, ready or not, so that peers know them."""
    network_policies: bool = False
    """Whether NetworkPolicies admit what the arguments say, and nothing else, to and from the
    pods."""
    clients: Sequence[Peer] = ()
    """Who may connect to the port, besides those that the exposure lets in."""
    reaches: Sequence[tuple[Peer, int]] = ()
    """Whom the pods may connect to, each on one TCP port."""
    dns_cidrs: Sequence[str] | None = (NODE_LOCAL_DNS,)
    """Addresses of name servers that the pods may ask besides those of kube-system; None: whether
    they may ask any is for another policy to say, such as that of `declare_default_deny`."""
    pod_cidr: str | None = None
    """Addresses of the cluster's pods, which are not let in from outside; None: they are too."""

    # Metrics
    metrics: Metrics = field(default_factory=NoMetrics)
    metrics_path: str | None = None
    """Where Prometheus metrics are, if anywhere."""
    metrics_port: int | None = None
    """The port they are on, if it is another one: what is public need not show them."""

    # Where it runs, and as whom
    node_selector: Mapping[str, str] = field(default_factory=dict[str, str])
    """Labels of the nodes that the pods may run on."""
    tolerations: Sequence[core.TolerationArgs] = ()
    priority_class: str | None = None
    pod_annotations: Mapping[str, pulumi.Input[str]] = field(
        default_factory=dict[str, pulumi.Input[str]]
    )
    service_account_annotations: Mapping[str, pulumi.Input[str]] = field(
        default_factory=dict[str, pulumi.Input[str]]
    )
    """E.g. the cloud's role that the pods have (EKS: IRSA, GKE: Workload Identity)."""
    api_token: bool = False
    """Whether the pods have the token of their ServiceAccount, to ask the Kubernetes API."""
    user: int = 10001
    """User and group ID; above 10000 so that it is nobody's on the node."""

    # Files
    writable_paths: Sequence[str] = ("/tmp",)  # noqa: S108 - a mount point
    """Paths that become emptyDirs; all else is read-only."""
    extra_volumes: Sequence[core.VolumeArgs] = ()
    extra_volume_mounts: Sequence[core.VolumeMountArgs] = ()
    """Where the extra volumes appear in the containers."""

    # When it starts
    pods_after: Sequence[pulumi.Resource] = ()
    """What has to be ready before there are pods, such as a database's `stateful_set`. All else is
    made meanwhile, unlike with `depends_on`."""

    # Termination
    pre_stop_seconds: int = 5
    """Wait before SIGTERM, so that every node stops sending requests first."""
    drain_seconds: int = 25
    """Time after SIGTERM to finish running requests."""

    # Whatever else
    customize: Callable[[k8s.apps.v1.DeploymentSpecArgs], k8s.apps.v1.DeploymentSpecArgs] | None = (
        None
    )
    """Has the last word on the Deployment's spec, for what no argument says."""
    api: Api | None = None
    """To watch the pods of a rollout; None: only the plugin says what is wrong."""

    def __post_init__(self) -> None:
        """Checks what needs a port, what needs policies, and whether an autoscaler can act.

        Raises:
            ValueError: Two arguments contradict each other; says which, and what to do.
        """
        self._check_port()
        self._check_probes()
        if not self.network_policies and (self.clients or self.reaches):
            raise ValueError("clients and reaches need network_policies=True")
        check_reach(self.scaling, self.resources)

    def _check_port(self) -> None:
        if self.port is None:
            if not isinstance(self.exposure, ClusterIpExposure):
                raise ValueError(f"exposure {self.exposure.mode} needs a port")
            if self.headless:
                raise ValueError("headless needs a port")
            if self.clients:
                raise ValueError("clients need a port to connect to")
            if self.metrics_path and isinstance(self.metrics, ServiceMonitorMetrics):
                raise ValueError(
                    "metrics by a ServiceMonitor need a port, since it finds pods by their Service;"
                    " use ScrapeAnnotations"
                )
        if self.metrics_path and not (self.port or self.metrics_port):
            raise ValueError("metrics_path needs a port or a metrics_port")

    def _check_probes(self) -> None:
        ports = {"http": self.port, "metrics": self.metrics_port}
        known = [name for name, port in ports.items() if port]
        probes = {
            "liveness": liveness_probe(self.liveness, self.port),
            "readiness": readiness_probe(self.readiness, self.port),
            "startup": startup_probe(self.startup, self.liveness, self.port),
        }
        for name, probe in probes.items():
            if not isinstance(probe, HttpProbe | TcpProbe) or isinstance(probe.port, int):
                continue
            if probe.port not in known:
                raise ValueError(
                    f"the {name} probe asks port {probe.port!r}, which the container does not "
                    f"have; it has {', '.join(known) or 'none'}"
                )
