"""AppDeployment: any stateless HTTP container, the way it should run on Kubernetes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_kubernetes as k8s

from components.exposure import expose
from components.labels import labels, selector
from components.metrics import scrape_annotations, service_monitor
from components.pods import container_security, http_probe, pod_security, scratch_volume
from components.secret_files import SecretFiles
from components.values import (
    Autoscaled,
    ClusterIp,
    Exposure,
    Fixed,
    Metrics,
    NodePort,
    NoMetrics,
    Resources,
    Scaling,
)

core = k8s.core.v1


@dataclass(frozen=True, kw_only=True)
class AppDeploymentArgs:
    """Arguments of AppDeployment; only the first three are required."""

    image: pulumi.Input[str]
    """Image reference with a fixed tag or a digest."""
    namespace: pulumi.Input[str]
    port: int
    """Port the container listens on; the Service has the same."""

    # What runs
    component: str = "app"
    """The label app.kubernetes.io/component."""
    instance: str = "todo"
    """The label app.kubernetes.io/instance; tells two copies of one application apart."""
    env: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    config_files: Mapping[str, pulumi.Input[str]] = field(
        default_factory=dict[str, pulumi.Input[str]]
    )
    """File name to contents, mounted read-only at `/etc/app`; a change rolls the pods."""
    secret_files: SecretFiles | None = None
    """Secrets as files: unlike variables they do not leak into child processes and crash reports."""
    init_command: Sequence[str] | None = None
    """Runs before the application in every new pod, e.g. migrations: must be safe to run twice at once."""

    # Health
    liveness_path: str = "/health"
    """Answers while the process works, whatever its dependencies do: a restart would not mend those."""
    readiness_path: str = "/ready"
    """Answers when a request could be served, dependencies included."""
    metrics_path: str | None = None
    """Where Prometheus metrics are, if anywhere."""

    # Size and reach
    resources: Resources = Resources(
        cpu_request="100m", cpu_limit="500m", memory_request="128Mi", memory_limit="256Mi"
    )
    scaling: Scaling = Fixed()
    exposure: Exposure = ClusterIp()
    metrics: Metrics = NoMetrics()

    # Security
    user: int = 10001
    """User and group ID; above 10000 so that it is nobody's on the node."""
    writable_paths: Sequence[str] = ("/tmp",)
    """Paths that become emptyDirs; all else is read-only."""

    # Termination
    pre_stop_seconds: int = 5
    """Wait before SIGTERM, so that every node stops sending requests first."""
    drain_seconds: int = 25
    """Time after SIGTERM to finish running requests."""


class AppDeployment(pulumi.ComponentResource):
    """ServiceAccount, Deployment, Service, PodDisruptionBudget, and an autoscaler and a route if asked for."""

    service_name: pulumi.Output[str]
    deployment_name: pulumi.Output[str]

    def __init__(
        self, name: str, args: AppDeploymentArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declares the application; the Kubernetes objects are called `name`."""
        super().__init__("todo:kubernetes:AppDeployment", name, None, opts)
        self._name, self._args = name, args
        self._opts = pulumi.ResourceOptions(parent=self)
        account = core.ServiceAccount(
            f"{name}-account",
            metadata=self._metadata(),
            automount_service_account_token=False,
            opts=self._opts,
        )
        deployment = k8s.apps.v1.Deployment(
            f"{name}-deployment",
            metadata=self._metadata(),
            spec=self._deployment_spec(account),
            opts=pulumi.ResourceOptions(
                parent=self,
                custom_timeouts=pulumi.CustomTimeouts(create="5m", update="5m", delete="2m"),
                # The autoscaler owns the number of pods.
                ignore_changes=["spec.replicas"] if isinstance(args.scaling, Autoscaled) else None,
            ),
        )
        service = self._service()
        self._disruption_budget()
        if isinstance(args.scaling, Autoscaled):
            self._autoscaler(args.scaling, deployment)
        expose(
            name,
            args.exposure,
            namespace=args.namespace,
            service=name,
            port=args.port,
            labels=self._labels(),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[service]),
        )
        if args.metrics_path:
            service_monitor(
                name,
                args.metrics,
                metadata=self._metadata(),
                matching=selector(name, args.instance),
                path=args.metrics_path,
                opts=self._opts,
            )
        self.service_name = service.metadata.name
        self.deployment_name = deployment.metadata.name
        self.register_outputs(
            {"service_name": self.service_name, "deployment_name": self.deployment_name}
        )

    def _labels(self) -> dict[str, str]:
        return labels(self._name, self._args.instance, self._args.component)

    def _metadata(self) -> k8s.meta.v1.ObjectMetaArgs:
        return k8s.meta.v1.ObjectMetaArgs(
            name=self._name, namespace=self._args.namespace, labels=self._labels()
        )

    def _deployment_spec(self, account: core.ServiceAccount) -> k8s.apps.v1.DeploymentSpecArgs:
        args = self._args
        return k8s.apps.v1.DeploymentSpecArgs(
            replicas=args.scaling.replicas if isinstance(args.scaling, Fixed) else None,
            selector=k8s.meta.v1.LabelSelectorArgs(match_labels=selector(self._name, args.instance)),
            strategy=k8s.apps.v1.DeploymentStrategyArgs(
                type="RollingUpdate",
                rolling_update=k8s.apps.v1.RollingUpdateDeploymentArgs(
                    max_unavailable=0, max_surge=1
                ),
            ),
            revision_history_limit=3,
            # Pulumi reports the pod's own reason when this passes without progress.
            progress_deadline_seconds=180,
            template=core.PodTemplateSpecArgs(
                metadata=k8s.meta.v1.ObjectMetaArgs(
                    labels=self._labels(),
                    annotations=scrape_annotations(args.metrics, args.metrics_path, args.port),
                ),
                spec=self._pod(account),
            ),
        )

    def _pod(self, account: core.ServiceAccount) -> core.PodSpecArgs:
        args = self._args
        volumes, mounts = self._volumes()
        env = [core.EnvVarArgs(name=key, value=value) for key, value in args.env.items()]
        container = core.ContainerArgs(
            name=self._name,
            image=args.image,
            image_pull_policy="IfNotPresent",
            ports=[core.ContainerPortArgs(name="http", container_port=args.port)],
            env=env,
            resources=core.ResourceRequirementsArgs(**args.resources.to_kubernetes()),
            security_context=container_security(),
            volume_mounts=mounts,
            # Up to 2 minutes to start; only then do the others count.
            startup_probe=http_probe(args.liveness_path, "http", period=2, failures=60),
            liveness_probe=http_probe(args.liveness_path, "http", period=10, failures=3),
            readiness_probe=http_probe(args.readiness_path, "http", period=5, failures=3),
            lifecycle=core.LifecycleArgs(
                pre_stop=core.LifecycleHandlerArgs(
                    sleep=core.SleepActionArgs(seconds=args.pre_stop_seconds)
                )
            ),
        )
        init = core.ContainerArgs(
            name=f"{self._name}-init",
            image=args.image,
            image_pull_policy="IfNotPresent",
            command=list(args.init_command or ()),
            env=env,
            resources=core.ResourceRequirementsArgs(**args.resources.to_kubernetes()),
            security_context=container_security(),
            volume_mounts=mounts,
        )
        return core.PodSpecArgs(
            service_account_name=account.metadata.name,
            automount_service_account_token=False,
            enable_service_links=False,
            security_context=pod_security(args.user, args.user),
            termination_grace_period_seconds=args.pre_stop_seconds + args.drain_seconds,
            topology_spread_constraints=[
                self._spread("kubernetes.io/hostname"),
                self._spread("topology.kubernetes.io/zone"),
            ],
            init_containers=[init] if args.init_command else None,
            containers=[container],
            volumes=volumes,
        )

    def _spread(self, topology_key: str) -> core.TopologySpreadConstraintArgs:
        return core.TopologySpreadConstraintArgs(
            max_skew=1,
            topology_key=topology_key,
            # One node is enough to run everything, as on a development cluster.
            when_unsatisfiable="ScheduleAnyway",
            label_selector=k8s.meta.v1.LabelSelectorArgs(
                match_labels=selector(self._name, self._args.instance)
            ),
            match_label_keys=["pod-template-hash"],
        )

    def _volumes(self) -> tuple[list[core.VolumeArgs], list[core.VolumeMountArgs]]:
        args = self._args
        volumes: list[core.VolumeArgs] = []
        mounts: list[core.VolumeMountArgs] = []
        for index, path in enumerate(args.writable_paths):
            volumes.append(scratch_volume(f"scratch-{index}", "64Mi"))
            mounts.append(core.VolumeMountArgs(name=f"scratch-{index}", mount_path=path))
        if args.config_files:
            config = core.ConfigMap(
                f"{self._name}-config",
                metadata=k8s.meta.v1.ObjectMetaArgs(
                    namespace=args.namespace, labels=self._labels()
                ),
                data=dict(args.config_files),
                opts=self._opts,
            )
            source = core.ConfigMapVolumeSourceArgs(name=config.metadata.name)
            volumes.append(core.VolumeArgs(name="config", config_map=source))
            mounts.append(
                core.VolumeMountArgs(name="config", mount_path="/etc/app", read_only=True)
            )
        if args.secret_files:
            volume, mount = args.secret_files.mount(
                self._name, args.namespace, self._labels(), self._opts
            )
            volumes.append(volume)
            mounts.append(mount)
        return volumes, mounts

    def _service(self) -> core.Service:
        args = self._args
        node_port = args.exposure.port if isinstance(args.exposure, NodePort) else None
        return core.Service(
            f"{self._name}-service",
            metadata=self._metadata(),
            spec=core.ServiceSpecArgs(
                type="NodePort" if node_port else "ClusterIP",
                selector=selector(self._name, args.instance),
                ports=[
                    core.ServicePortArgs(
                        name="http",
                        port=args.port,
                        target_port="http",
                        node_port=node_port,
                        app_protocol="http",
                    )
                ],
            ),
            opts=self._opts,
        )

    def _disruption_budget(self) -> None:
        k8s.policy.v1.PodDisruptionBudget(
            f"{self._name}-budget",
            metadata=self._metadata(),
            spec=k8s.policy.v1.PodDisruptionBudgetSpecArgs(
                max_unavailable=1,
                # A crashing pod must not keep a node from being drained.
                unhealthy_pod_eviction_policy="AlwaysAllow",
                selector=k8s.meta.v1.LabelSelectorArgs(
                    match_labels=selector(self._name, self._args.instance)
                ),
            ),
            opts=self._opts,
        )

    def _autoscaler(self, scaling: Autoscaled, deployment: k8s.apps.v1.Deployment) -> None:
        auto = k8s.autoscaling.v2
        auto.HorizontalPodAutoscaler(
            f"{self._name}-autoscaler",
            metadata=self._metadata(),
            spec=auto.HorizontalPodAutoscalerSpecArgs(
                scale_target_ref=auto.CrossVersionObjectReferenceArgs(
                    api_version="apps/v1", kind="Deployment", name=deployment.metadata.name
                ),
                min_replicas=scaling.min_replicas,
                max_replicas=scaling.max_replicas,
                metrics=[
                    auto.MetricSpecArgs(
                        type="Resource",
                        resource=auto.ResourceMetricSourceArgs(
                            name="cpu",
                            target=auto.MetricTargetArgs(
                                type="Utilization", average_utilization=scaling.cpu_percent
                            ),
                        ),
                    )
                ],
            ),
            opts=self._opts,
        )
