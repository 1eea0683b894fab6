"""Single requests, with the patience of a test: a machine may be slow, and nobody measures here."""

from typing import Any

import httpx

from tests.waiting import until

PATIENCE_SECONDS = 60.0
"""Until an answer is taken for one that never comes."""
_IN_A_ROW = 5
"""Answers after which the node is taken to know of all pods, and of those that are gone."""


def ask(method: str, url: str, **more: Any) -> httpx.Response:
    """Returns the answer to a request on a connection of its own."""
    return httpx.request(method, url, timeout=PATIENCE_SECONDS, **more)


def status_of(url: str, **more: Any) -> int:
    """Returns the status of the answer to a GET; 0: there is none."""
    try:
        return ask("GET", url, **more).status_code
    except httpx.TransportError:
        return 0


def wait_served(*urls: str) -> None:
    """Waits until each address answers 200 every time.

    Pods that are ready get requests once the node has learnt of them, and those that are gone get
    some until it has learnt of that.
    """
    seen: list[int] = []

    def served(url: str) -> bool:
        seen[:] = [status_of(url) for _ in range(_IN_A_ROW)]
        return set(seen) == {200}

    for url in urls:
        until(lambda: f"200 of {url}, which last said {seen}", lambda: served(url), 180)  # noqa: B023
