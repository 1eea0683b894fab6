"""Requests a second of the frontend's page and of the backend, at their CPU limits."""

import asyncio
from collections.abc import Sequence

from bench.load import Rate, saturate
from bench.manifests import wait_ready
from bench.row import Result, Row, Unit
from bench.series import Series
from bench.stack import BenchStack
from bench.wanted import ValueAtLeast

_CONNECTIONS = 32
_SECONDS = 3
_FRONTEND, _BACKEND = "frontend: GET /", "backend: GET /health"
_WANTED = ValueAtLeast(number=400)
"""Ten times the 40 a second of when each page was rendered for whoever asked for it."""
_BUSY = 0.9
"""Of a core: a generator with more to do than this may be what is slow."""


def measure(stack: BenchStack, runs: int) -> Sequence[Result]:
    """Measures both services in turn, from this machine, at the bench stack's own addresses."""
    stack.up()
    wait_ready(stack.namespace)
    urls = {
        _FRONTEND: stack.output("frontendUrl") + "/",
        _BACKEND: stack.output("backendUrl") + "/health",
    }
    return [
        _row("connections that are used again", _rates(urls, runs, keep_alive=True)),
        _row("a new connection each", _rates(urls, runs, keep_alive=False)),
    ]


def _rates(urls: dict[str, str], runs: int, *, keep_alive: bool) -> dict[str, list[Rate]]:
    found: dict[str, list[Rate]] = {name: [] for name in urls}
    for run in range(runs + 1):
        for name, url in urls.items():
            asking = saturate(url, _SECONDS, connections=_CONNECTIONS, keep_alive=keep_alive)
            rate = asyncio.run(asking)
            if run:  # the first one warms up
                found[name].append(rate)
    return found


def _row(what: str, found: dict[str, list[Rate]]) -> Row:
    busy = [name for name, it in found.items() if max(rate.generator for rate in it) > _BUSY]
    return Row(
        what=f"answers with 2 pods each, {what}",
        unit=Unit.PER_SECOND,
        ours=_FRONTEND,
        peer=_BACKEND,
        series={
            name: Series(runs=tuple(rate.per_second for rate in it)) for name, it in found.items()
        },
        wanted=_WANTED,
        note=f"the generator had all of a core to do with {', '.join(busy)}, which may be able to "
        "do more"
        if busy
        else "",
    )
