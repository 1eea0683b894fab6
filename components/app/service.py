"""The Services of an AppDeployment."""

import pulumi_kubernetes as k8s

from ..metadata.awaiting import NOT_AWAITED
from ..metadata.scope import ObjectScope
from ..values.exposure import Exposure, NodePort

core = k8s.core.v1


def declare_service(scope: ObjectScope, port: int, exposure: Exposure) -> core.Service:
    """Declares the Service that shares requests out among the pods that are ready."""
    on_nodes = exposure if isinstance(exposure, NodePort) else None
    return core.Service(
        f"{scope.name}-service",
        # The Deployment is awaited, and fails with the reason of its pods.
        metadata=scope.metadata(annotations=NOT_AWAITED),
        spec=core.ServiceSpecArgs(
            type="NodePort" if on_nodes else "ClusterIP",
            external_traffic_policy=on_nodes.external_traffic_policy if on_nodes else None,
            selector=scope.selector,
            ports=[
                core.ServicePortArgs(
                    name="http",
                    port=port,
                    target_port="http",
                    node_port=on_nodes.port if on_nodes else None,
                    app_protocol="http",
                )
            ],
        ),
        opts=scope.opts,
    )


def declare_headless_service(scope: ObjectScope, port: int) -> core.Service:
    """Declares the Service whose name leads to every pod, ready or not."""
    return core.Service(
        f"{scope.name}-pods-service",
        # Nobody has to wait until it has an endpoint.
        metadata=scope.metadata("-pods", annotations=NOT_AWAITED),
        spec=core.ServiceSpecArgs(
            type="ClusterIP",
            cluster_ip="None",
            publish_not_ready_addresses=True,
            selector=scope.selector,
            ports=[core.ServicePortArgs(name="http", port=port, target_port="http")],
        ),
        opts=scope.opts,
    )
