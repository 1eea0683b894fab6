"""What several runs of one thing gave."""

import statistics
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Series:
    """The measured values of one peer, in the unit of the row that they are in."""

    runs: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one: one or two of five that were disturbed do not move it."""
        return statistics.median(self.runs)

    @property
    def spread(self) -> tuple[float, float]:
        """The smallest and the largest."""
        return min(self.runs), max(self.runs)
