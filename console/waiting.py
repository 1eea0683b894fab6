"""Waiting for what is outside: asked again and again, for so long and no longer."""

import time
from collections.abc import Callable
from typing import TypeVar

from console.failure import Failure

T = TypeVar("T")


def last_answer(
    ask: Callable[[], T],
    is_enough: Callable[[T], bool],
    seconds: float,
    *,
    every: float = 0.5,
    least: int = 1,
) -> T:
    """Returns the first answer that is enough, else the last one that there was time for.

    Args:
        ask: What is asked, once at least.
        is_enough: Whether an answer ends the waiting.
        seconds: For how long.
        every: Seconds between two questions.
        least: How often it is asked at least where no answer is enough, however long one takes.
    """
    deadline, asked = time.monotonic() + seconds, 1
    while not is_enough(answer := ask()) and (asked < least or time.monotonic() <= deadline):
        asked += 1
        time.sleep(every)
    return answer


def wait_until(
    check: Callable[[], T], seconds: float, late: str | Callable[[], str], *, every: float = 0.5
) -> T:
    """Returns what a check returns once that is true.

    Args:
        check: What is asked.
        seconds: For how long.
        late: What is wrong when it never was.
        every: Seconds between two questions.

    Raises:
        Failure: It never was.
    """
    found = last_answer(check, bool, seconds, every=every)
    if not found:
        raise Failure(late if isinstance(late, str) else late())
    return found
