"""Durations of peers that take turns, so that the machine's moods meet all of them."""

import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

RUNS = 5
"""Of each peer; the median of five is not moved by one or two runs that were disturbed."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How long one peer took, in seconds."""

    runs: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.runs)

    @property
    def spread(self) -> tuple[float, float]:
        """The shortest and the longest."""
        return min(self.runs), max(self.runs)


def side_by_side(
    peers: Mapping[str, Callable[[], None]],
    *,
    runs: int = RUNS,
    before: Callable[[], None] | None = None,
) -> dict[str, Timing]:
    """Runs peers in turn, and returns how long each took.

    Args:
        peers: Name to what is measured.
        runs: How often each runs.
        before: What makes the state that each run begins with; is not measured.
    """
    taken: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(runs):
        for name, run in peers.items():
            if before:
                before()
            begin = time.monotonic()
            run()
            taken[name].append(time.monotonic() - begin)
    return {name: Timing(runs=tuple(found)) for name, found in taken.items()}


def command(*arguments: str, cwd: Path | None = None) -> str:
    """Runs a command and returns what it prints.

    Raises:
        SystemExit: It failed; a measurement of a failure would be none.
    """
    done = subprocess.run(  # noqa: S603 - built here
        arguments, cwd=cwd, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(
            f"`{' '.join(arguments[:4])} …` failed: {(done.stderr or done.stdout)[-800:]}"
        )
    return done.stdout
