"""Who reaches an application from outside the cluster, and how.

Each way in is a class; what follows from it is said below, case by case, and where Kubernetes
objects follow, in `network/exposure.py`. A new class is done when pyright has no more complaints.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, assert_never

from pydantic import Field

from .names import DnsLabel, IngressAnnotations, ObjectName, PublicHost
from .quantities import NodePortNumber, Port
from .text import Between
from .value import Value

TrustedProxies = Annotated[int, Between(0, 10)]


class ClusterIpExposure(Value):
    """Reachable inside the cluster only."""

    mode: Literal["clusterIp"] = "clusterIp"


class NodePortExposure(Value):
    """Reachable on a fixed port of every node."""

    mode: Literal["nodePort"] = "nodePort"
    port: NodePortNumber
    external_traffic_policy: Literal["Local", "Cluster"] = Field(
        default="Local",
        description="Local: the application sees clients' own addresses, and only nodes that run "
        "one of its pods answer; Cluster: every node answers, and pods of other namespaces come "
        "in, too",
    )


class IngressExposure(Value):
    """Reachable by host name through an Ingress controller, over TLS."""

    mode: Literal["ingress"] = "ingress"
    host: PublicHost
    class_name: ObjectName
    tls_secret: ObjectName | None = Field(
        default=None, description="TLS Secret; none: the controller has its own certificate"
    )
    annotations: IngressAnnotations = {}
    trusted_proxies: TrustedProxies = Field(
        default=1,
        description="Proxies in front that append to X-Forwarded-For; Google's balancers: 2",
    )
    from_namespace: DnsLabel | None = Field(
        default=None,
        description="Namespace of the controller's pods; none: it reaches the pods from outside",
    )


class GatewayExposure(Value):
    """Reachable by host name through a Gateway (Gateway API) that terminates TLS."""

    mode: Literal["gateway"] = "gateway"
    host: PublicHost
    gateway: ObjectName
    gateway_namespace: DnsLabel
    listener: ObjectName = "https"
    port: Port = Field(default=443, description="Where the gateway is asked over TLS from outside")
    authority: ObjectName | None = Field(
        default=None,
        description="ConfigMap in the gateway's namespace whose ca.crt signs its certificate; "
        "none: an authority that this machine trusts",
    )
    trusted_proxies: TrustedProxies = Field(
        default=1,
        description="Proxies in front that append to X-Forwarded-For; Google's balancers: 2",
    )
    from_namespace: DnsLabel | None = Field(
        default=None,
        description="Namespace of the gateway's pods; none: it reaches the pods from outside",
    )


Exposure = Annotated[
    ClusterIpExposure | NodePortExposure | IngressExposure | GatewayExposure,
    Field(discriminator="mode"),
]


def node_port(exposure: Exposure) -> int | None:
    """Returns the port of every node that leads in, of which a cluster has each once."""
    match exposure:
        case NodePortExposure():
            return exposure.port
        case ClusterIpExposure() | IngressExposure() | GatewayExposure():
            return None
        case _:
            assert_never(exposure)


def public_host(exposure: Exposure) -> str | None:
    """Returns the host name that leads in, which one application can have."""
    match exposure:
        case IngressExposure() | GatewayExposure():
            return exposure.host
        case ClusterIpExposure() | NodePortExposure():
            return None
        case _:
            assert_never(exposure)


def given_annotations(exposure: Exposure) -> Mapping[str, str]:
    """Returns the annotations that people give to what leads in."""
    match exposure:
        case IngressExposure():
            return exposure.annotations
        case ClusterIpExposure() | NodePortExposure() | GatewayExposure():
            return {}
        case _:
            assert_never(exposure)


def trusted_proxies(exposure: Exposure) -> int:
    """Returns how many proxies in front append to X-Forwarded-For, and are believed."""
    match exposure:
        case IngressExposure() | GatewayExposure():
            return exposure.trusted_proxies
        case ClusterIpExposure() | NodePortExposure():
            return 0
        case _:
            assert_never(exposure)


def authority(exposure: Exposure) -> tuple[str, str] | None:
    """Returns namespace and name of the ConfigMap with the authority, where one is named."""
    match exposure:
        case GatewayExposure():
            name = exposure.authority
            return None if name is None else (exposure.gateway_namespace, name)
        case ClusterIpExposure() | NodePortExposure() | IngressExposure():
            return None
        case _:
            assert_never(exposure)


def keep_alive_seconds(exposure: Exposure) -> int:
    """Returns for how many seconds an idle connection stays open.

    Longer than whoever is in front keeps it, lest it send a request into a connection that closes:
    Google's load balancers keep one for 600 s, those of AWS and nginx for 60 s.
    """
    match exposure:
        case IngressExposure() | GatewayExposure():
            return 620
        case ClusterIpExposure() | NodePortExposure():
            return 75
        case _:
            assert_never(exposure)
