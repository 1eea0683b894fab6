"""Quantities, names, images, cron lines: what is accepted, and that the rest is refused."""

import contextlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from components.cron import CronSchedule
from components.image_reference import ImageReference
from components.names import HostName
from components.quantities import ByteQuantity, CpuQuantity, NodePortNumber, quantity_value
from components.values import Autoscaled, Fixed, Resources

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


def test_values_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Fixed().replicas = 3  # type: ignore[misc]
