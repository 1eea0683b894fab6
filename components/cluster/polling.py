"""Looks at pods again and again, until what keeps them from being ready will not go by itself."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from .pod_obstacle import Obstacle


@dataclass(frozen=True)
class Findings:
    """What one look has found."""

    obstacles: Mapping[str, Obstacle]
    """What there still is to wait for, by whatever tells one from another, such as the pod."""
    lasting: Obstacle | None
    """One that will not go by itself, and was given the time to."""


@dataclass(frozen=True, kw_only=True)
class Polling:
    """How long and how often pods are looked at; all in seconds."""

    timeout: float = 480.0
    """How long to look."""
    grace: float = 20.0
    """How long a pod may say that it cannot start: what it needs, such as a registry, may be away
    for a moment."""
    interval: float = 1.0
    """Between two looks."""

    def findings(self, look: Callable[[], Mapping[str, Obstacle] | None]) -> Iterator[Findings]:
        """Yields what each look finds, until the time is over.

        Args:
            look: Returns the obstacles; None: it could not look, so nothing has changed.
        """
        end = time.monotonic() + self.timeout
        since: dict[str, float] = {}
        while (now := time.monotonic()) < end:
            if (obstacles := look()) is not None:
                since = {key: since.get(key, now) for key, it in obstacles.items() if it.fatal}
                lasting = (
                    it
                    for key, it in obstacles.items()
                    if it.failed or (key in since and now - since[key] >= self.grace)
                )
                yield Findings(obstacles, next(lasting, None))
            time.sleep(self.interval)
