"""Plain values shared by the settings tree and the components.

Every class here is immutable and validates itself, so a wrong value is refused in the same words
whether it comes from a stack file or from another program that reuses a component.
"""

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from components.quantities import (
    ByteQuantity,
    CpuQuantity,
    DnsLabel,
    HostName,
    NodePortNumber,
    Replicas,
    quantity_value,
)


class Value(BaseModel):
    """Base of every value: immutable, no unknown keys, camelCase outside, snake_case inside."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        validate_by_alias=True,
        validate_by_name=True,
        allow_inf_nan=False,
    )

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: object, info: ValidationInfo) -> object:
        """Refuses an unknown key with what would have been allowed, which `extra` does not say."""
        if not isinstance(data, Mapping):
            return data
        known = sorted(field.alias or name for name, field in cls.model_fields.items())
        # Python code says cpu_limit, a stack file cpuLimit and nothing else.
        allowed = {*known} if info.context == "file" else {*known, *cls.model_fields}
        for key in cast("Mapping[object, Any]", data):
            if key not in allowed:
                close = difflib.get_close_matches(str(key), known, n=1)
                hint = f"did you mean {close[0]}? " if close else ""
                raise PydanticCustomError(
                    "unknown_setting",
                    "unknown setting {key}; {hint}allowed here: {known}",
                    {"key": repr(key), "hint": hint, "known": ", ".join(known)},
                )
        return cast("object", data)


class Resources(Value):
    """What one container asks for and may use at most."""

    cpu_request: CpuQuantity
    cpu_limit: CpuQuantity
    memory_request: ByteQuantity
    memory_limit: ByteQuantity
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


class Ingress(Value):
    """Reachable by host name through an Ingress controller, over TLS."""

    mode: Literal["ingress"] = "ingress"
    host: HostName
    class_name: HostName
    tls_secret: HostName | None = Field(
        default=None, description="TLS Secret; none: the controller has its own certificate"
    )
    annotations: dict[str, str] = Field(default_factory=dict)
    from_namespace: DnsLabel | None = Field(
        default=None,
        description="Namespace of the controller's pods; none: it reaches the pods from outside",
    )


class Gateway(Value):
    """Reachable by host name through a Gateway (Gateway API) that terminates TLS."""

    mode: Literal["gateway"] = "gateway"
    host: HostName
    gateway: HostName
    gateway_namespace: DnsLabel
    listener: DnsLabel = "https"
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
    cpu_percent: Annotated[int, Field(ge=1, le=100, strict=True)] = 70

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
    interval: Annotated[str, Field(pattern=r"^[1-9]\d*(s|m)$")] = "30s"
    labels: dict[str, str] = Field(
        default_factory=dict, description="Labels by which the operator selects ServiceMonitors"
    )
    from_namespace: DnsLabel = Field(default="monitoring", description="Namespace of Prometheus")


Metrics = Annotated[NoMetrics | ScrapeAnnotations | ServiceMonitor, Field(discriminator="mode")]
