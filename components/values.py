"""Plain values shared by the settings tree and the components.

Every class here is immutable and validates itself, so a wrong value is refused in the same words whether it comes from a
stack file or from another program that reuses a component.
"""

import re
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

_QUANTITY = re.compile(r"^(\d+(?:\.\d+)?)(m|k|Ki|M|Mi|G|Gi|T|Ti|)$")
_FACTORS = {
    "m": Decimal("0.001"),
    "": Decimal(1),
    "k": Decimal(1000),
    "Ki": Decimal(1024),
    "M": Decimal(1000**2),
    "Mi": Decimal(1024**2),
    "G": Decimal(1000**3),
    "Gi": Decimal(1024**3),
    "T": Decimal(1000**4),
    "Ti": Decimal(1024**4),
}


def quantity_value(quantity: str) -> Decimal:
    """Returns a Kubernetes quantity in its base unit: cores for CPU, bytes for memory and storage."""
    match = _QUANTITY.match(quantity)
    if match is None:
        raise ValueError("expected a Kubernetes quantity such as 250m, 0.5, 128Mi or 1Gi")
    return Decimal(match.group(1)) * _FACTORS[match.group(2)]


def _cpu(value: str) -> str:
    if not _QUANTITY.match(value) or not re.search(r"[\dm]$", value):
        raise ValueError("expected a CPU quantity above zero such as 250m or 0.5")
    if quantity_value(value) < Decimal("0.001"):
        raise ValueError("expected a CPU quantity of at least 1m")
    return value


def _bytes(value: str) -> str:
    if not _QUANTITY.match(value) or value.endswith("m"):
        raise ValueError("expected a size such as 128Mi or 1Gi")
    if quantity_value(value) < 1024**2:
        raise ValueError("expected a size of at least 1Mi such as 128Mi or 1Gi (is the unit missing?)")
    return value


_IMAGE = re.compile(
    r"^(?:(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::\d{1,5})?/)?"
    r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
    r"(?P<tag>:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?P<digest>@sha256:[0-9a-f]{64})?$"
)


def _image(value: str) -> str:
    match = _IMAGE.match(value)
    if match is None:
        raise ValueError("expected an image reference such as registry.example.com/todo/backend:1.2.3")
    if not (match.group("tag") or match.group("digest")):
        raise ValueError("expected an image reference with a tag or a sha256 digest")
    if match.group("tag") == ":latest" and not match.group("digest"):
        raise ValueError("expected a fixed tag or a sha256 digest; 'latest' changes under the pods")
    return value


_CRON_FIELDS = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of month", 1, 31),
    ("month", 1, 12),
    ("day of week", 0, 7),
)
_CRON_NAMES = {
    name: number
    for names, first in (
        ("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC", 1),
        ("SUN MON TUE WED THU FRI SAT", 0),
    )
    for number, name in enumerate(names.split(), first)
}
_CRON_PART = re.compile(r"^(\*|\w+(?:-\w+)?)(?:/([1-9]\d?))?$")


def _cron(value: str) -> str:
    if value in {"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"}:
        return value
    fields = value.split()
    if len(fields) != len(_CRON_FIELDS):
        raise ValueError('expected five cron fields such as "17 3 * * *", or @daily')
    for text, (name, low, high) in zip(fields, _CRON_FIELDS, strict=True):
        for part in text.split(","):
            match = _CRON_PART.match(part)
            if match is None:
                raise ValueError(f"expected a cron line; the {name} field has {part!r}")
            if match.group(1) == "*":
                continue
            for bound in match.group(1).split("-"):
                number = _CRON_NAMES.get(bound.upper()) if not bound.isdecimal() else int(bound)
                if number is None or not low <= number <= high:
                    raise ValueError(f"expected a cron line whose {name} is {low}-{high}, not {bound!r}")
    return value


_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME = rf"^{_LABEL}(\.{_LABEL})*$"

CpuQuantity = Annotated[str, AfterValidator(_cpu), Field(description="CPU, e.g. 250m")]
ByteQuantity = Annotated[str, AfterValidator(_bytes), Field(description="Bytes, e.g. 128Mi")]
ImageReference = Annotated[str, AfterValidator(_image)]
CronSchedule = Annotated[str, AfterValidator(_cron)]
Port = Annotated[int, Field(ge=1, le=65535, strict=True)]
NodePortNumber = Annotated[int, Field(ge=30000, le=32767, strict=True)]
Replicas = Annotated[int, Field(ge=1, le=50, strict=True)]
DnsLabel = Annotated[str, Field(pattern=rf"^{_LABEL}$")]
HostName = Annotated[str, Field(pattern=_HOST_NAME, max_length=253)]
PostgresName = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]


class Value(BaseModel):
    """Base of every value: immutable, unknown keys refused, camelCase outside and snake_case inside."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        validate_by_alias=True,
        validate_by_name=True,
        allow_inf_nan=False,
    )


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
                raise ValueError(f"expected {name}Request ({request}) at most {name}Limit ({limit})")
        return self

    def to_kubernetes(self) -> dict[str, dict[str, str]]:
        """Returns the `resources` block of a container."""
        return {
            "requests": {
                "cpu": self.cpu_request,
                "memory": self.memory_request,
                "ephemeral-storage": self.ephemeral_storage_request,
            },
            "limits": {
                "cpu": self.cpu_limit,
                "memory": self.memory_limit,
                "ephemeral-storage": self.ephemeral_storage_limit,
            },
        }


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
    class_name: DnsLabel
    tls_secret: DnsLabel | None = Field(
        default=None, description="TLS Secret; none: the controller brings its own certificate"
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
    gateway: DnsLabel
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
                f"expected minReplicas ({self.min_replicas}) at most maxReplicas ({self.max_replicas})"
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
    """The common `prometheus.io/*` pod annotations, for a Prometheus that discovers pods by them."""

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

JsonObject = dict[str, Any]
