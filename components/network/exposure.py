"""Ways in: the Service type, an Ingress, or a route through a Gateway."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s

from ..metadata.awaiting import NOT_AWAITED
from ..values.exposure import Exposure, Gateway, Ingress, NodePort

net = k8s.networking.v1


def expose(
    name: str,
    exposure: Exposure,
    *,
    namespace: pulumi.Input[str],
    service: str,
    port: int,
    labels: Mapping[str, str],
    opts: pulumi.ResourceOptions,
) -> pulumi.Resource | None:
    """Declares what leads to a Service from outside, if its type alone does not."""
    # Whether its controller has taken it up is not awaited: that says nothing about the
    # application, and where there is no controller, it would be awaited for ten minutes.
    annotations = dict(NOT_AWAITED)
    if isinstance(exposure, Ingress):
        annotations |= exposure.annotations
    metadata = k8s.meta.v1.ObjectMetaArgs(
        name=service, namespace=namespace, labels=dict(labels), annotations=annotations
    )
    if isinstance(exposure, Ingress):
        return _ingress(name, exposure, metadata, service, opts)
    if isinstance(exposure, Gateway):
        return k8s.apiextensions.CustomResource(
            f"{name}-route",
            api_version="gateway.networking.k8s.io/v1",
            kind="HTTPRoute",
            metadata=metadata,
            spec={
                "parentRefs": [
                    {
                        "name": exposure.gateway,
                        "namespace": exposure.gateway_namespace,
                        "sectionName": exposure.listener,
                    }
                ],
                "hostnames": [exposure.host],
                "rules": [{"backendRefs": [{"name": service, "port": port}]}],
            },
            opts=opts,
        )
    return None


def _ingress(
    name: str,
    exposure: Ingress,
    metadata: k8s.meta.v1.ObjectMetaArgs,
    service: str,
    opts: pulumi.ResourceOptions,
) -> pulumi.Resource:
    return net.Ingress(
        f"{name}-ingress",
        metadata=metadata,
        spec=net.IngressSpecArgs(
            ingress_class_name=exposure.class_name,
            tls=[net.IngressTLSArgs(hosts=[exposure.host], secret_name=exposure.tls_secret)],
            rules=[
                net.IngressRuleArgs(
                    host=exposure.host,
                    http=net.HTTPIngressRuleValueArgs(
                        paths=[
                            net.HTTPIngressPathArgs(
                                path="/",
                                path_type="Prefix",
                                backend=net.IngressBackendArgs(
                                    service=net.IngressServiceBackendArgs(
                                        name=service,
                                        port=net.ServiceBackendPortArgs(name="http"),
                                    )
                                ),
                            )
                        ]
                    ),
                )
            ],
        ),
        opts=opts,
    )


def url(exposure: Exposure, *, node_address: str, service: str, namespace: str, port: int) -> str:
    """Returns where the application answers."""
    if isinstance(exposure, NodePort):
        return f"http://{node_address}:{exposure.port}"
    if isinstance(exposure, Ingress | Gateway):
        return f"https://{exposure.host}"
    return f"http://{service}.{namespace}.svc:{port}"
