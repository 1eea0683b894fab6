"""Ways in: the Service type, an Ingress, or a route through a Gateway."""

from typing import Any, assert_never

import pulumi
import pulumi_kubernetes as k8s

from ..metadata.awaiting import NOT_AWAITED
from ..metadata.scope import ObjectScope
from ..values.addresses import is_ipv6
from ..values.exposure import ClusterIp, Exposure, Gateway, Ingress, NodePort
from .policies import Peer, addresses, namespace_pods

net = k8s.networking.v1


def declare_route(
    scope: ObjectScope, exposure: Exposure, service: k8s.core.v1.Service, port: int
) -> pulumi.Resource | None:
    """Declares what leads to a Service from outside, if its type alone does not.

    Whether its controller has taken it up is not awaited: that says nothing about the application,
    and where there is no controller, it would be awaited for ten minutes.
    """
    opts = pulumi.ResourceOptions.merge(scope.opts, pulumi.ResourceOptions(depends_on=[service]))
    match exposure:
        case ClusterIp() | NodePort():
            return None
        case Ingress():
            return net.Ingress(
                f"{scope.name}-ingress",
                metadata=scope.metadata(annotations={**NOT_AWAITED, **exposure.annotations}),
                spec=_ingress_spec(exposure, scope.object_name),
                opts=opts,
            )
        case Gateway():
            return k8s.apiextensions.CustomResource(
                f"{scope.name}-route",
                api_version="gateway.networking.k8s.io/v1",
                kind="HTTPRoute",
                metadata=scope.metadata(annotations=NOT_AWAITED),
                spec=_route_spec(exposure, scope.object_name, port),
                opts=opts,
            )
        case _:
            assert_never(exposure)


def _ingress_spec(exposure: Ingress, service: str) -> net.IngressSpecArgs:
    backend = net.IngressBackendArgs(
        service=net.IngressServiceBackendArgs(
            name=service, port=net.ServiceBackendPortArgs(name="http")
        )
    )
    path = net.HTTPIngressPathArgs(path="/", path_type="Prefix", backend=backend)
    return net.IngressSpecArgs(
        ingress_class_name=exposure.class_name,
        tls=[net.IngressTLSArgs(hosts=[exposure.host], secret_name=exposure.tls_secret)],
        rules=[
            net.IngressRuleArgs(host=exposure.host, http=net.HTTPIngressRuleValueArgs(paths=[path]))
        ],
    )


def _route_spec(exposure: Gateway, service: str, port: int) -> dict[str, Any]:
    gateway = {
        "name": exposure.gateway,
        "namespace": exposure.gateway_namespace,
        "sectionName": exposure.listener,
    }
    return {
        "parentRefs": [gateway],
        "hostnames": [exposure.host],
        "rules": [{"backendRefs": [{"name": service, "port": port}]}],
    }


def peers_from_outside(exposure: Exposure, pod_cidr: str | None) -> list[Peer]:
    """Returns whom an exposure lets in, as a NetworkPolicy names them.

    Args:
        exposure: The way in.
        pod_cidr: Addresses of the cluster's pods; None: they are let in as everybody is.
    """
    match exposure:
        case ClusterIp():
            return []
        case NodePort():
            return [_anywhere(pod_cidr)]
        case Ingress() | Gateway():
            if exposure.from_namespace is None:
                return [_anywhere(pod_cidr)]
            return [namespace_pods(exposure.from_namespace)]
        case _:
            assert_never(exposure)


def _anywhere(pod_cidr: str | None) -> Peer:
    # Who comes through a NodePort or a cloud's load balancer has an address that nobody knows
    # before. Pods' addresses of IPv6 mean a cluster of IPv6; a part must be of the same kind.
    everything = "::/0" if pod_cidr and is_ipv6(pod_cidr) else "0.0.0.0/0"
    return addresses(everything, without=pod_cidr)


def url(exposure: Exposure, *, node_address: str, service: str, namespace: str, port: int) -> str:
    """Returns where the application answers."""
    match exposure:
        case ClusterIp():
            return f"http://{service}.{namespace}.svc:{port}"
        case NodePort():
            return f"http://{node_address}:{exposure.port}"
        case Ingress() | Gateway():
            return f"https://{exposure.host}"
        case _:
            assert_never(exposure)
