"""Quantities, names, images, cron lines: what is accepted, and that the rest is refused."""

import contextlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from components.values.addresses import Cidr, HttpAddress, PodCidr
from components.values.cron import CronSchedule
from components.values.image_reference import ImageReference, Repository
from components.values.names import (
    DnsLabel,
    HostName,
    IngressAnnotations,
    Labels,
    NamespaceLabels,
    ObjectName,
    PublicHost,
)
from components.values.quantities import (
    ByteQuantity,
    CpuQuantity,
    MemoryLimit,
    NodePortNumber,
    quantity_value,
)
from components.values.resources import Resources
from components.values.scaling import Autoscaled, Fixed, check_reach
from components.values.text import Text

GOOD: list[tuple[Any, object]] = [
    (CpuQuantity, "250m"),
    (CpuQuantity, "0.5"),
    (CpuQuantity, "2"),
    (ByteQuantity, "128Mi"),
    (ByteQuantity, "1Gi"),
    (ByteQuantity, "1.5Gi"),
    (ByteQuantity, "2097152"),
    (CronSchedule, "17 3 * * *"),
    (CronSchedule, "*/15 0-6,12 1 JAN-MAR mon-fri"),
    (CronSchedule, "@daily"),
    (ImageReference, "postgres:17"),
    (ImageReference, "localhost/todo/python:3.13"),
    (ImageReference, "registry.example.com:5000/a/b-c_d:v1.2"),
    (ImageReference, "ghcr.io/a/b@sha256:" + "a" * 64),
    (HostName, "todo.example.com"),
    (NodePortNumber, 30000),
    (NodePortNumber, 32767),
    (CronSchedule, "5/20 0 29 2 SUN-SAT"),
    (CronSchedule, "0 0 31 2 0"),  # in February on Sundays alone
    (HostName, "10.1.2.3"),
    (ObjectName, "a" * 253),
    (Cidr, "10.0.0.0/8"),
    (Cidr, "0.0.0.0/0"),
    (Cidr, "fd00::/8"),
    (Repository, "localhost:5000/todo"),
    (HttpAddress, "https://chat.example.com:8443/v1"),
    (HttpAddress, "http://10.1.2.3"),
    (Labels, {"example.com/a": "", "b": "A.b_c-1"}),
    (NamespaceLabels, {"elbv2.k8s.aws/pod-readiness-gate-inject": "enabled"}),
    (IngressAnnotations, {"nginx.ingress.kubernetes.io/snippet": "a;\n\tb;\n"}),
    (IngressAnnotations, {"pulumi.com/skipAwait": "false"}),
    (Text, "a b"),
]
BAD: list[tuple[Any, object]] = [
    (CpuQuantity, "250Mi"),
    (CpuQuantity, "-1"),
    (CpuQuantity, "0"),
    (CpuQuantity, "0.0001m"),
    (CpuQuantity, "250m\n"),
    (CpuQuantity, True),
    (ByteQuantity, "128"),
    (ByteQuantity, "128m"),
    (ByteQuantity, "1gb"),
    (ByteQuantity, "٣Gi"),
    (CronSchedule, "* * * *"),
    (CronSchedule, "61 * * * *"),
    (CronSchedule, "* 24 * * *"),
    (CronSchedule, "* * 0 * *"),
    (CronSchedule, "* * * FOO *"),
    (CronSchedule, "hourly"),
    (CronSchedule, "*/0 * * * *"),
    (ImageReference, "postgres"),
    (ImageReference, "postgres:latest"),
    (ImageReference, "Postgres:17"),
    (ImageReference, "postgres:17 "),
    (ImageReference, "a@sha256:123"),
    (HostName, "todo_app.example"),
    (HostName, "-a.example"),
    (HostName, "a" * 254),
    (NodePortNumber, 29999),
    (NodePortNumber, 32768),
    (NodePortNumber, True),
    (NodePortNumber, 30000.0),
    (CpuQuantity, "0.0015"),
    (CpuQuantity, "4097"),
    (CpuQuantity, float("nan")),
    (ByteQuantity, 512),
    (ByteQuantity, "1025Ti"),
    (ByteQuantity, "1.0000001Gi"),
    (MemoryLimit, "8Mi"),
    (CronSchedule, "17 3 * * 7"),
    (CronSchedule, "17 3 * * SAT-SUN"),
    (CronSchedule, "17 3 30-5 * *"),
    (CronSchedule, "MON * * * *"),
    (CronSchedule, "0 0 * SUN *"),
    (CronSchedule, "0 0 31 2,4 *"),
    (CronSchedule, "TZ=UTC 1 * * * *"),
    (CronSchedule, "@Daily"),
    (ImageReference, "registry.example.com:99999/a:1"),
    (ImageReference, "registry.example.com:0/a:1"),
    (ImageReference, "a..b/c:1"),
    (ImageReference, "a/" * 128 + "a:1"),
    (Repository, "registry.example.com:99999/a"),
    (Repository, "registry.example.com"),
    (Repository, "registry.example.com/a:1"),
    (Repository, "registry.example.com/" + "a" * 230),
    (HostName, "10.1.2.300"),
    (HostName, "a" * 64 + ".example"),
    (PublicHost, "10.1.2.3"),
    (PublicHost, "*.example.com"),
    (DnsLabel, "a.b"),
    (DnsLabel, "a" * 64),
    (ObjectName, "a..b"),
    (Cidr, "999.999.999.999/99"),
    (Cidr, "10.0.0.1/8"),
    (Cidr, "10.0.0.0"),
    (Cidr, "10.0.0.0/255.0.0.0"),
    (Cidr, "::ffff:10.0.0.0/104"),
    (Cidr, "fe80::%eth0/64"),
    (PodCidr, "0.0.0.0/0"),
    (HttpAddress, "https://chat.example.com:99999"),
    (HttpAddress, "https://chat.example.com:0"),
    (HttpAddress, "https://"),
    (HttpAddress, "ftp://chat.example.com"),
    (HttpAddress, "https://chat.example.com/?a=b"),
    (Labels, {"a b": "c"}),
    (Labels, {"a/b/c": "d"}),
    (Labels, {"a": "b c"}),
    (Labels, {"a": "b" * 64}),
    (NamespaceLabels, {"pod-security.kubernetes.io/enforce": "privileged"}),
    (NamespaceLabels, {"kubernetes.io/metadata.name": "a"}),
    (IngressAnnotations, {"kubernetes.io/ingress.class": "nginx"}),
    (IngressAnnotations, {"pulumi.com/patchForce": "true"}),
    (IngressAnnotations, {"a": "b\0"}),
    (IngressAnnotations, {"a": "b" * 300_000}),
    (Text, ""),
    (Text, "a\0"),
    (Text, " a"),
    (Text, "a\n"),
    (Text, "\ud800"),
    (NodePortNumber, "٣0000"),
]


@pytest.mark.parametrize(("kind", "value"), GOOD)
def test_accepted(kind: Any, value: object) -> None:
    assert TypeAdapter(kind).validate_python(value) == value


@pytest.mark.parametrize(("kind", "value"), BAD)
def test_refused(kind: Any, value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize("kind", [CpuQuantity, ByteQuantity, CronSchedule, ImageReference])
@given(text=st.text())
def test_any_text_is_accepted_or_refused(kind: Any, text: str) -> None:
    with contextlib.suppress(ValidationError):
        TypeAdapter(kind).validate_python(text)


@pytest.mark.parametrize(
    ("quantity", "value"),
    [("250m", "0.25"), ("1", "1"), ("1k", "1000"), ("1Ki", "1024"), ("1Gi", "1073741824")],
)
def test_quantity_value(quantity: str, value: str) -> None:
    assert quantity_value(quantity) == Decimal(value)


@given(number=st.integers(0, 10**9), unit=st.sampled_from(["m", "", "k", "Ki", "M", "Mi", "Gi"]))
def test_quantities_grow_with_their_number(number: int, unit: str) -> None:
    assert quantity_value(f"{number}{unit}") < quantity_value(f"{number + 1}{unit}")


def test_requests_above_limits_are_refused() -> None:
    with pytest.raises(ValidationError, match="memoryRequest"):
        Resources(cpu_request="1", cpu_limit="1", memory_request="2Gi", memory_limit="1Gi")


def test_autoscaling_bounds_are_ordered() -> None:
    with pytest.raises(ValidationError, match="minReplicas"):
        Autoscaled(min_replicas=3, max_replicas=2)


def sized(request: str, limit: str) -> Resources:
    return Resources(
        cpu_request=request, cpu_limit=limit, memory_request="64Mi", memory_limit="64Mi"
    )


@pytest.mark.parametrize(
    ("request_", "limit", "most"),
    [("500m", "0.5", 90), ("100m", "110m", 99), ("100m", "111m", 100), ("1", "4", 100)],
)
def test_an_autoscaler_is_asked_for_what_its_pods_can_use(
    request_: str, limit: str, most: int
) -> None:
    """It acts when they use 110 % of its target, and at their limit they use no more."""
    check_reach(Autoscaled(cpu_percent=most), sized(request_, limit))
    check_reach(Fixed(), sized(request_, limit))
    if most < 100:
        with pytest.raises(ValueError, match=rf"cpuPercent \({most + 1}\) of at most {most}:"):
            check_reach(Autoscaled(cpu_percent=most + 1), sized(request_, limit))


def test_values_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Fixed().replicas = 3  # type: ignore[misc]
