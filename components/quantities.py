"""Strings and numbers with rules of their own: quantities, ports, names, images, cron lines."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field

from components.postgres_image import check_image

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
    """Returns a Kubernetes quantity in its base unit: cores for CPU, bytes for the rest."""
    match = _QUANTITY.fullmatch(quantity)
    if match is None:
        raise ValueError("expected a Kubernetes quantity such as 250m, 0.5, 128Mi or 1Gi")
    return Decimal(match.group(1)) * _FACTORS[match.group(2)]


def _cpu(value: str) -> str:
    if not _QUANTITY.fullmatch(value) or not value.endswith(tuple("0123456789m")):
        raise ValueError("expected a CPU quantity above zero such as 250m or 0.5")
    if quantity_value(value) < Decimal("0.001"):
        raise ValueError("expected a CPU quantity of at least 1m")
    return value


def _bytes(value: str) -> str:
    if not _QUANTITY.fullmatch(value) or value.endswith("m"):
        raise ValueError("expected a size such as 128Mi or 1Gi")
    if quantity_value(value) < 1024**2:
        raise ValueError(
            "expected a size of at least 1Mi such as 128Mi or 1Gi (is the unit missing?)"
        )
    return value


_IMAGE = re.compile(
    r"(?:(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::[0-9]{1,5})?/)?"
    r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
    r"(?P<tag>:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?P<digest>@sha256:[0-9a-f]{64})?"
)


def _image(value: str) -> str:
    match = _IMAGE.fullmatch(value)
    if match is None:
        raise ValueError(
            "expected an image reference such as registry.example.com/todo/backend:1.2.3"
        )
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
_CRON_PART = re.compile(r"(\*|[0-9A-Za-z]+(?:-[0-9A-Za-z]+)?)(?:/([1-9][0-9]?))?")


def _cron(value: str) -> str:
    if value in {"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"}:
        return value
    fields = value.split()
    if len(fields) != len(_CRON_FIELDS):
        raise ValueError('expected five cron fields such as "17 3 * * *", or @daily')
    for text, (name, low, high) in zip(fields, _CRON_FIELDS, strict=True):
        for part in text.split(","):
            match = _CRON_PART.fullmatch(part)
            if match is None:
                raise ValueError(f"expected a cron line; the {name} field has {part!r}")
            if match.group(1) == "*":
                continue
            for bound in match.group(1).split("-"):
                number = _CRON_NAMES.get(bound.upper()) if not bound.isdecimal() else int(bound)
                if number is None or not low <= number <= high:
                    raise ValueError(
                        f"expected a cron line whose {name} is {low}-{high}, not {bound!r}"
                    )
    return value


def _database_name(value: str) -> str:
    if value in {"template0", "template1"}:
        raise ValueError("expected a name that PostgreSQL does not use itself, such as todo")
    return value


def _role_name(value: str) -> str:
    # PostgreSQL manual, "CREATE ROLE" and "Predefined Roles".
    if value.startswith("pg_") or value in {"public", "none"}:
        raise ValueError("expected a role that PostgreSQL does not reserve (pg_…, public, none)")
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
Cidr = Annotated[str, Field(pattern=r"^\d{1,3}(\.\d{1,3}){3}/\d{1,2}$")]
PostgresImage = Annotated[ImageReference, AfterValidator(check_image)]
_PostgresName = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]
DatabaseName = Annotated[_PostgresName, AfterValidator(_database_name)]
RoleName = Annotated[_PostgresName, AfterValidator(_role_name)]
