"""Amounts of CPU and memory, and other numbers with a range."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from .text import Between

_QUANTITY = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)(m|k|Ki|M|Mi|G|Gi|T|Ti|)")
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
    """Returns a Kubernetes quantity in its base unit: cores for CPU, bytes for the rest.

    Raises:
        ValueError: It is none.
    """
    match = _QUANTITY.fullmatch(quantity)
    if match is None:
        raise ValueError("expected a Kubernetes quantity such as 250m, 0.5, 128Mi or 1Gi")
    return Decimal(match.group(1)) * _FACTORS[match.group(2)]


def _quantity(value: object) -> object:
    """Takes a number for a quantity without a unit, as Kubernetes does."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return format(Decimal(str(value)), "f")
    return value


def _cpu(value: str) -> str:
    if not _QUANTITY.fullmatch(value) or not value.endswith(tuple("0123456789m")):
        raise ValueError("expected a CPU quantity above zero such as 250m or 0.5")
    cores = quantity_value(value)
    if not Decimal("0.001") <= cores <= _MOST_CORES:
        raise ValueError(f"expected a CPU quantity of at least 1m and at most {_MOST_CORES}")
    if cores * 1000 % 1:
        raise ValueError("expected a CPU quantity no finer than 1m")
    return value


def _bytes(value: str) -> str:
    if not _QUANTITY.fullmatch(value) or value.endswith("m"):
        raise ValueError("expected a size such as 128Mi or 1Gi")
    size = quantity_value(value)
    if size < _MEBIBYTE:
        raise ValueError(
            "expected a size of at least 1Mi such as 128Mi or 1Gi (is the unit missing?)"
        )
    if size > _MOST_BYTES:
        raise ValueError("expected a size of at most 1024Ti")
    if size % 1:
        raise ValueError("expected a whole number of bytes")
    return value


def _memory_limit(value: str) -> str:
    if quantity_value(value) < 16 * _MEBIBYTE:
        raise ValueError("expected a memory limit of at least 16Mi; no container starts in less")
    return value


_MEBIBYTE = 1024**2
# Larger than any node, and small enough for the sums of a quota to fit 64 bits.
_MOST_CORES = 4096
_MOST_BYTES = 1024 * _FACTORS["Ti"]

CpuQuantity = Annotated[
    str,
    BeforeValidator(_quantity),
    AfterValidator(_cpu),
    Field(description="CPU, e.g. 250m"),
    WithJsonSchema({"type": ["string", "number"]}),
]
ByteQuantity = Annotated[
    str,
    BeforeValidator(_quantity),
    AfterValidator(_bytes),
    Field(description="Bytes, e.g. 128Mi"),
    WithJsonSchema({"type": ["string", "number"], "minimum": _MEBIBYTE}),
]
MemoryLimit = Annotated[ByteQuantity, AfterValidator(_memory_limit)]
Port = Annotated[int, Between(1, 65535)]
NodePortNumber = Annotated[int, Between(30000, 32767)]
Replicas = Annotated[int, Between(1, 50)]
