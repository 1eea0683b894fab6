"""A row of the table: what is measured, against whom, and what it is to reach."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.timing import Timing


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measured thing."""

    what: str
    ours: str
    """Name of the peer that is this program."""
    peer: str | None
    """Name of the peer that it is compared with; None: it stands alone."""
    bar: float | None
    """The largest ratio of ours to the peer that is wanted."""
    timings: Mapping[str, Timing]

    @property
    def ratio(self) -> float | None:
        """Ours divided by the peer's, by their medians."""
        if self.peer is None:
            return None
        return self.timings[self.ours].median / self.timings[self.peer].median
