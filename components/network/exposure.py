"""Ways in: the Service type, an Ingress, or a route through a Gateway."""

from typing import Any, assert_never

import pulumi
import pulumi_kubernetes as k8s

from ..metadata.awaiting import NOT_AWAITED
from ..metadata.scope import ObjectScope
from ..values.addresses import everywhere
from ..values.exposure import (
    ClusterIpExposure,
    Exposure,
    GatewayExposure,
    IngressExposure,
    NodePortExposure,
)
from .policies import Peer, addresses, namespace_pods

core = k8s.core.v1
net = k8s.networking.v1


def service_spec(
    scope: ObjectScope, exposure: Exposure, port: int, app_protocol: str | None
) -> core.ServiceSpecArgs:
    """Returns the Service that an exposure needs.

    Args:
        scope: Whose pods are behind it.
        exposure: The way in.
        port: Its port, which leads to the containers' port `http`.
        app_protocol: What is spoken there; None: something over TCP.
    """
    http = core.ServicePortArgs(
        name="http", port=port, target_port="http", app_protocol=app_protocol
    )
    match exposure:
        case ClusterIpExposure() | IngressExposure() | GatewayExposure():
            return core.ServiceSpecArgs(type="ClusterIP", selector=scope.selector, ports=[http])
        case NodePortExposure():
            http.node_port = exposure.port
            return core.ServiceSpecArgs(
                type="NodePort",
                external_traffic_policy=exposure.external_traffic_policy,
                selector=scope.selector,
                ports=[http],
            )
        case _:
            assert_never(exposure)


def declare_route(
    scope: ObjectScope, exposure: Exposure, service: core.Service, port: int
) -> pulumi.Resource | None:
    """Declares what leads to a Service from outside, if its type alone does not.

    Whether its controller has taken it up is not awaited: that says nothing about the application,
    and where there is no controller, it would be awaited for ten minutes.
    """
    opts = pulumi.ResourceOptions.merge(scope.opts, pulumi.ResourceOptions(depends_on=[service]))
    match exposure:
        case ClusterIpExposure() | NodePortExposure():
            return None
        case IngressExposure():
            return net.Ingress(
                f"{scope.name}-ingress",
                metadata=scope.metadata(annotations={**NOT_AWAITED, **exposure.annotations}),
                spec=_ingress_spec(exposure, scope.object_name),
                opts=opts,
            )
        case GatewayExposure():
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


def _ingress_spec(exposure: IngressExposure, service: str) -> net.IngressSpecArgs:
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


def _route_spec(exposure: GatewayExposure, service: str, port: int) -> dict[str, Any]:
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
        case ClusterIpExposure():
            return []
        case NodePortExposure():
            # A node that passes a client on to another's pod shows an address of its own, which on
            # overlay networks is one of the pods' (flannel.1, tunl0). Pods come in by it as well.
            hides = exposure.external_traffic_policy == "Cluster"
            return [addresses(everywhere(pod_cidr)) if hides else _anywhere(pod_cidr)]
        case IngressExposure() | GatewayExposure():
            if exposure.from_namespace is None:
                return [_anywhere(pod_cidr)]
            return [namespace_pods(exposure.from_namespace)]
        case _:
            assert_never(exposure)


def _anywhere(pod_cidr: str | None) -> Peer:
    # Who comes through a NodePort or a cloud's load balancer has an address that nobody knows
    # before.
    return addresses(everywhere(pod_cidr), without=pod_cidr)


def url(exposure: Exposure, *, node_address: str, service: str, namespace: str, port: int) -> str:
    """Returns where the application answers."""
    match exposure:
        case ClusterIpExposure():
            return f"http://{service}.{namespace}.svc:{port}"
        case NodePortExposure():
            return f"http://{node_address}:{exposure.port}"
        case IngressExposure():
            return f"https://{exposure.host}"
        case GatewayExposure():
            port_shown = "" if exposure.port == 443 else f":{exposure.port}"
            return f"https://{exposure.host}{port_shown}"
        case _:
            assert_never(exposure)
