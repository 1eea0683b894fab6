"""Durations of peers that take turns, so that the machine's moods meet all of them."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.series import Series


@dataclass(frozen=True, kw_only=True)
class Peer:
    """One of those that are measured beside each other."""

    run: Callable[[], object]
    before: Callable[[], object] | None = None
    """What makes the state that a run begins with; is not measured."""


def side_by_side(peers: Mapping[str, Peer], runs: int) -> dict[str, Series]:
    """Runs peers in turn, and returns how many seconds each took.

    Args:
        peers: Name to what is measured.
        runs: How often each runs.
    """
    taken: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(runs):
        for name, peer in peers.items():
            if peer.before:
                peer.before()
            taken[name].append(seconds(peer.run))
    return {name: Series(runs=tuple(found)) for name, found in taken.items()}


def seconds(run: Callable[[], object]) -> float:
    """Returns how long a call takes."""
    begin = time.monotonic()
    run()
    return time.monotonic() - begin
