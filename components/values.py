"""Plain values shared by the settings tree and the components.

Every class here is immutable and validates itself, so a wrong value is refused in the same words
whether it comes from a stack file or from another program that reuses a component.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic.alias_generators import to_camel

from components.names import DnsLabel, IngressAnnotations, Labels, ObjectName, PublicHost
from components.quantities import (
    ByteQuantity,
    CpuQuantity,
    MemoryLimit,
    NodePortNumber,
    Replicas,
    quantity_value,
)
from components.text import Between, Matching
from components.value import Value

TrustedProxies = Annotated[int, Between(0, 10)]


class Resources(Value):
    """What one container asks for and may use at most."""

    cpu_request: CpuQuantity
    cpu_limit: CpuQuantity
    memory_request: ByteQuantity
    memory_limit: MemoryLimit
    ephemeral_storage_request: ByteQuantity = "64Mi"
    ephemeral_storage_limit: ByteQuantity = "256Mi"

    @model_validator(mode="after")
    def _requests_fit_limits(self) -> Self:
        for what in ("cpu", "memory", "ephemeral_storage"):
            request, limit = getattr(self, f"{what}_request"), getattr(self, f"{what}_limit")
            if quantity_value(request) > quantity_value(limit):
                name = to_camel(what)
                raise ValueError(
                    f"expected {name}Request ({request}) at most {name}Limit ({limit})"
                )
        return self


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


class Fixed(Value):
    """A constant number of pods."""

    mode: Literal["fixed"] = "fixed"
    replicas: Replicas = 2

    @property
    def most(self) -> int:
        """The largest number of pods outside a rolling update."""
        return self.replicas


class Autoscaled(Value):
    """As many pods as the CPU load asks for; the Deployment then names no number itself."""

    mode: Literal["autoscaled"] = "autoscaled"
    min_replicas: Replicas = 2
    max_replicas: Replicas = 5
    cpu_percent: Annotated[int, Between(1, 100)] = 70

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_replicas > self.max_replicas:
            raise ValueError(
                f"expected minReplicas ({self.min_replicas}) "
                f"at most maxReplicas ({self.max_replicas})"
            )
        return self

    @property
    def most(self) -> int:
        """The largest number of pods outside a rolling update."""
        return self.max_replicas


Scaling = Annotated[Fixed | Autoscaled, Field(discriminator="mode")]


class NoMetrics(Value):
    """Nobody scrapes the pods."""

    mode: Literal["none"] = "none"


class ScrapeAnnotations(Value):
    """The common `prometheus.io/*` pod annotations, for a Prometheus that goes by them."""

    mode: Literal["annotations"] = "annotations"
    from_namespace: DnsLabel = Field(default="monitoring", description="Namespace of Prometheus")


class ServiceMonitor(Value):
    """A ServiceMonitor for the Prometheus Operator."""

    mode: Literal["serviceMonitor"] = "serviceMonitor"
    interval: Annotated[
        str,
        Matching(pattern="[1-9][0-9]{0,4}(s|m)", allowed="seconds or minutes such as 30s or 1m"),
    ] = "30s"
    labels: Labels = Field(
        default={}, description="Labels by which the operator selects ServiceMonitors"
    )
    from_namespace: DnsLabel = Field(default="monitoring", description="Namespace of Prometheus")


Metrics = Annotated[NoMetrics | ScrapeAnnotations | ServiceMonitor, Field(discriminator="mode")]
