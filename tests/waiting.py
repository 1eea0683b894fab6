"""Waiting for what becomes so by itself."""

import time
from collections.abc import Callable


def until(what: str | Callable[[], str], holds: Callable[[], bool], seconds: float) -> None:
    """Asks every second until something is so.

    Args:
        what: What it is waited for, for whoever reads that it did not come; a function may tell
            what there was instead.
        holds: Tells whether it is so.
        seconds: How long it may take at the most, which is no measurement: far more than it does.
    """
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() >= end:
            said = what if isinstance(what, str) else what()
            raise AssertionError(f"not within {seconds:g} s: {said}")
        time.sleep(1)
