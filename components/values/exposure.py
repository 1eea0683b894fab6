"""Who reaches an application from outside the cluster, and how."""

from typing import Annotated, Literal

from pydantic import Field

from .names import DnsLabel, IngressAnnotations, ObjectName, PublicHost
from .quantities import NodePortNumber
from .text import Between
from .value import Value

TrustedProxies = Annotated[int, Between(0, 10)]


class ClusterIp(Value):
    """Reachable inside the cluster only."""

    mode: Literal["clusterIp"] = "clusterIp"


class NodePort(Value):
    """Reachable on a fixed port of every node."""

    mode: Literal["nodePort"] = "nodePort"
    port: NodePortNumber
    external_traffic_policy: Literal["Local", "Cluster"] = Field(
        default="Local",
        description="Local: the application sees clients' own addresses, and only nodes that run "
        "one of its pods answer; Cluster: every node answers",
    )


class Ingress(Value):
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


class Gateway(Value):
    """Reachable by host name through a Gateway (Gateway API) that terminates TLS."""

    mode: Literal["gateway"] = "gateway"
    host: PublicHost
    gateway: ObjectName
    gateway_namespace: DnsLabel
    listener: ObjectName = "https"
    trusted_proxies: TrustedProxies = Field(
        default=1,
        description="Proxies in front that append to X-Forwarded-For; Google's balancers: 2",
    )
    from_namespace: DnsLabel | None = Field(
        default=None,
        description="Namespace of the gateway's pods; none: it reaches the pods from outside",
    )


Exposure = Annotated[ClusterIp | NodePort | Ingress | Gateway, Field(discriminator="mode")]
