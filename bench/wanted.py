"""What a row is to reach."""

from dataclasses import dataclass
from typing import assert_never


@dataclass(frozen=True, kw_only=True)
class RatioAtMost:
    """The ratio of this program to its peer."""

    number: float


@dataclass(frozen=True, kw_only=True)
class ValueAtMost:
    """The value itself, in the row's unit."""

    number: float


@dataclass(frozen=True, kw_only=True)
class ValueAtLeast:
    """The value itself, in the row's unit."""

    number: float


Wanted = RatioAtMost | ValueAtMost | ValueAtLeast


def is_met(wanted: Wanted, value: float, ratio: float | None) -> bool:
    """Returns whether what was measured is what is wanted.

    Args:
        wanted: The bar.
        value: The median of this program's runs.
        ratio: That, divided by the peer's.
    """
    match wanted:
        case RatioAtMost():
            # As people read it: two digits.
            return ratio is not None and round(ratio, 2) <= wanted.number
        case ValueAtMost():
            return value <= wanted.number
        case ValueAtLeast():
            return value >= wanted.number
        case _:
            assert_never(wanted)


def in_words(wanted: Wanted, unit: str) -> str:
    """Returns a bar as the table shows it."""
    match wanted:
        case RatioAtMost():
            return f"ratio ≤ {wanted.number:g}"
        case ValueAtMost():
            return f"≤ {wanted.number:g} {unit}"
        case ValueAtLeast():
            return f"≥ {wanted.number:g} {unit}"
        case _:
            assert_never(wanted)
