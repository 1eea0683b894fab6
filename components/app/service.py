"""The Services of an AppDeployment."""

import pulumi_kubernetes as k8s

from ..metadata.awaiting import NOT_AWAITED
from ..metadata.scope import ObjectScope
from ..network.exposure import service_spec
from .args import AppDeploymentArgs

core = k8s.core.v1

PODS_SUFFIX = "-pods"
"""Follows the name of the objects in that of the headless Service."""
OF_PODS = {"kubernetes-app-components/leads-to": "each-pod"}
"""The label by which the headless Service is told from the other, whose labels it has besides."""


def declare_service(scope: ObjectScope, args: AppDeploymentArgs, port: int) -> core.Service:
    """Declares the Service that shares requests out among the pods that are ready."""
    return core.Service(
        f"{scope.name}-service",
        # The Deployment is awaited, and fails with the reason of its pods.
        metadata=scope.metadata(annotations=NOT_AWAITED),
        spec=service_spec(scope, args.exposure, port, args.app_protocol),
        opts=scope.opts,
    )


def declare_headless_service(scope: ObjectScope, port: int) -> core.Service:
    """Declares the Service whose name leads to every pod, ready or not."""
    return core.Service(
        f"{scope.name}-pods-service",
        # Nobody has to wait until it has an endpoint.
        metadata=scope.metadata(PODS_SUFFIX, annotations=NOT_AWAITED, labels=OF_PODS),
        spec=core.ServiceSpecArgs(
            type="ClusterIP",
            cluster_ip="None",
            publish_not_ready_addresses=True,
            selector=scope.selector,
            ports=[core.ServicePortArgs(name="http", port=port, target_port="http")],
        ),
        opts=scope.opts,
    )
