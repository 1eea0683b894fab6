"""AppDeployment: any stateless HTTP container, the way it should run on Kubernetes.

```python
AppDeployment("shop", AppDeploymentArgs(image="shop:1.2.3", namespace="shop", port=8080))
```
"""

import pulumi
import pulumi_kubernetes as k8s

from ..cluster.rollout_watch import RolloutWatch
from ..metadata.awaiting import NOT_AWAITED
from ..metadata.labels import labels, object_name, selector
from ..network.exposure import expose
from ..values.exposure import NodePort
from ..values.scaling import Autoscaled, Fixed
from .args import AppDeploymentArgs
from .metrics import service_monitor
from .pod import pod_template

__all__ = ["AppDeployment", "AppDeploymentArgs"]

core = k8s.core.v1


class AppDeployment(pulumi.ComponentResource):
    """ServiceAccount, Deployment, Service and PodDisruptionBudget of one application.

    Depending on the arguments also a HorizontalPodAutoscaler, an Ingress or an HTTPRoute, a
    ServiceMonitor, a ConfigMap and a Secret.
    """

    service_name: pulumi.Output[str]
    """Name of the Service, which is the application's name in the namespace's DNS."""
    deployment_name: pulumi.Output[str]

    def __init__(
        self, name: str, args: AppDeploymentArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declares the application.

        Args:
            name: Prefix of the Pulumi names, and name of the Kubernetes objects unless the
                arguments have an `object_name`.
            args: What runs, how much of it, and who reaches it.
            opts: Pulumi's resource options; the Deployment waits for `depends_on`.
        """
        super().__init__("todo:kubernetes:AppDeployment", name, None, opts)
        self._name, self._args = name, args
        self._opts = pulumi.ResourceOptions(parent=self)
        self._depends_on = opts.depends_on if opts else None
        self._object_name = args.object_name or name
        self._labels = labels(self._object_name, args.instance, args.component)
        self._selector = selector(self._object_name, args.instance)
        self._metadata = k8s.meta.v1.ObjectMetaArgs(
            name=self._object_name, namespace=args.namespace, labels=self._labels
        )
        deployment = self._deployment()
        service = self._service()
        if args.headless:
            self._headless_service()
        self._disruption_budget()
        if isinstance(args.scaling, Autoscaled):
            self._autoscaler(args.scaling)
        expose(
            name,
            args.exposure,
            namespace=args.namespace,
            service=self._object_name,
            port=args.port,
            labels=self._labels,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[service]),
        )
        if args.metrics_path:
            service_monitor(
                name,
                args.metrics,
                namespace=args.namespace,
                object_name=self._object_name,
                labels=self._labels,
                matching=self._selector,
                path=args.metrics_path,
                port=args.metrics_port,
                opts=self._opts,
            )
        self.service_name = object_name(service)
        self.deployment_name = object_name(deployment)
        self.register_outputs(
            {"service_name": self.service_name, "deployment_name": self.deployment_name}
        )

    def _deployment(self) -> k8s.apps.v1.Deployment:
        args = self._args
        # Only when it is over `pulumi up` fails: one pod after the other is replaced, and the first
        # may have to wait for its image.
        time = f"{240 + 30 * args.scaling.most}s"
        account = core.ServiceAccount(
            f"{self._name}-account",
            metadata=self._metadata,
            automount_service_account_token=False,
            opts=self._opts,
        )
        return k8s.apps.v1.Deployment(
            f"{self._name}-deployment",
            metadata=self._metadata,
            spec=k8s.apps.v1.DeploymentSpecArgs(
                # Left out where an autoscaler owns the number.
                replicas=args.scaling.replicas if isinstance(args.scaling, Fixed) else None,
                selector=k8s.meta.v1.LabelSelectorArgs(match_labels=self._selector),
                strategy=k8s.apps.v1.DeploymentStrategyArgs(
                    type="RollingUpdate",
                    rolling_update=k8s.apps.v1.RollingUpdateDeploymentArgs(
                        max_unavailable=0, max_surge=1
                    ),
                ),
                revision_history_limit=3,
                # Is what `kubectl rollout status` believes; `pulumi up` only warns of it.
                progress_deadline_seconds=180,
                template=pod_template(
                    self._name,
                    args,
                    object_name=self._object_name,
                    labels=self._labels,
                    account=account,
                    opts=self._opts,
                ),
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=self._depends_on,
                custom_timeouts=pulumi.CustomTimeouts(
                    create=time, update=time, delete=f"{180 + args.pre_stop_seconds}s"
                ),
                hooks=self._hooks(),
            ),
        )

    def _hooks(self) -> pulumi.ResourceHookBinding | None:
        if self._args.api is None:
            return None
        watch = pulumi.ResourceHook(f"pods of {self._name}", RolloutWatch(self._args.api).hook)
        return pulumi.ResourceHookBinding(before_create=[watch], before_update=[watch])

    def _service(self) -> core.Service:
        args = self._args
        exposure = args.exposure if isinstance(args.exposure, NodePort) else None
        return core.Service(
            f"{self._name}-service",
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name=self._object_name,
                namespace=args.namespace,
                labels=self._labels,
                # The Deployment is awaited, and fails with the reason of its pods.
                annotations=dict(NOT_AWAITED),
            ),
            spec=core.ServiceSpecArgs(
                type="NodePort" if exposure else "ClusterIP",
                external_traffic_policy=exposure.external_traffic_policy if exposure else None,
                selector=self._selector,
                ports=[
                    core.ServicePortArgs(
                        name="http",
                        port=args.port,
                        target_port="http",
                        node_port=exposure.port if exposure else None,
                        app_protocol="http",
                    )
                ],
            ),
            opts=self._opts,
        )

    def _headless_service(self) -> None:
        core.Service(
            f"{self._name}-pods-service",
            metadata=k8s.meta.v1.ObjectMetaArgs(
                name=f"{self._object_name}-pods",
                namespace=self._args.namespace,
                labels=self._labels,
                # Nobody has to wait until it has an endpoint.
                annotations=dict(NOT_AWAITED),
            ),
            spec=core.ServiceSpecArgs(
                type="ClusterIP",
                cluster_ip="None",
                publish_not_ready_addresses=True,
                selector=self._selector,
                ports=[core.ServicePortArgs(name="http", port=self._args.port, target_port="http")],
            ),
            opts=self._opts,
        )

    def _disruption_budget(self) -> None:
        k8s.policy.v1.PodDisruptionBudget(
            f"{self._name}-budget",
            metadata=self._metadata,
            spec=k8s.policy.v1.PodDisruptionBudgetSpecArgs(
                max_unavailable=1,
                # A pod that crashes anyway must not keep a node from being drained.
                unhealthy_pod_eviction_policy="AlwaysAllow",
                selector=k8s.meta.v1.LabelSelectorArgs(match_labels=self._selector),
            ),
            opts=self._opts,
        )

    def _autoscaler(self, scaling: Autoscaled) -> None:
        auto = k8s.autoscaling.v2
        auto.HorizontalPodAutoscaler(
            f"{self._name}-autoscaler",
            metadata=self._metadata,
            spec=auto.HorizontalPodAutoscalerSpecArgs(
                scale_target_ref=auto.CrossVersionObjectReferenceArgs(
                    api_version="apps/v1", kind="Deployment", name=self._object_name
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
