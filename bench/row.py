"""A row of the table: what is measured, against whom, and what it is to reach."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bench.series import Series
from bench.wanted import Wanted, is_met


class Unit(StrEnum):
    """What is counted; the value is what stands behind a number."""

    SECONDS = "s"
    PER_SECOND = "requests/s"
    FAILED = "failed"
    MEBIBYTES = "MiB"

    @property
    def more_is_better(self) -> bool:
        """Whether the larger number is the better one."""
        return self is Unit.PER_SECOND


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measured thing."""

    what: str
    unit: Unit
    ours: str
    """Name of the peer that is this program."""
    peer: str | None
    """Name of the peer that it is compared with; None: it is compared with none."""
    series: Mapping[str, Series]
    """Of this program, of the peer, and of others that are shown beside them."""
    wanted: Wanted | None = None
    note: str = ""
    """What has to be known of the numbers, in a sentence."""
    proven: bool = True
    """Whether the measurement has been seen to notice what it is to notice."""

    @property
    def value(self) -> float:
        """What this program's runs come to."""
        return self.of(self.ours)

    def of(self, name: str) -> float:
        """Returns what the runs of one peer come to.

        That is their median; but the worst of what failed, since no run may have failures.
        """
        found = self.series[name]
        return found.spread[1] if self.unit is Unit.FAILED else found.median

    @property
    def ratio(self) -> float | None:
        """This program's value divided by the peer's; None where there is none to divide by."""
        other = self.of(self.peer) if self.peer else 0
        return self.value / other if other else None

    @property
    def met(self) -> bool | None:
        """Whether it is seen to reach what is wanted; None where nothing is."""
        if self.wanted is None:
            return None
        return self.proven and is_met(self.wanted, self.value, self.ratio)


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """Something that could not be measured here."""

    what: str
    why: str
    failed: bool = False
    """Whether it should have been possible."""


Result = Row | LeftOut
