"""Requests from this machine: as many as are answered, or at a fixed rate whatever becomes of them.

A generator that waits for an answer before it asks again (closed loop) finds out what a service can
do, and says nothing about how long people wait: while nothing is answered, it does not ask.
"""

import asyncio
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from bench.slow_client import slow_outcome

_PATIENCE = aiohttp.ClientTimeout(total=30)
_OK = 200


@dataclass(frozen=True, kw_only=True)
class Rate:
    """What a service answered as fast as it could."""

    per_second: float
    generator: float
    """The generator's own share of a core; near 1 the service may be able to do more."""


@dataclass(frozen=True, kw_only=True)
class Arrivals:
    """What became of requests that were sent at a fixed rate."""

    latencies: tuple[float, ...]
    """Seconds from the instant at which a request was to be sent to the end of its answer."""
    failures: tuple[str, ...]
    """What became of those that were not answered with 200."""


async def saturate(url: str, seconds: float, *, connections: int, keep_alive: bool) -> Rate:
    """Asks again as soon as an answer is complete; only answers with 200 count.

    Args:
        url: What is asked for.
        seconds: How long.
        connections: How many ask at a time.
        keep_alive: Whether a connection is used again; else each request has its own.
    """
    answered = 0
    end = time.monotonic() + seconds
    begun = time.process_time()

    async def ask_on_and_on(session: aiohttp.ClientSession) -> None:
        nonlocal answered
        while time.monotonic() < end:
            failure = await _outcome(session, url)
            answered += failure is None

    async with _session(keep_alive=keep_alive) as session:
        await asyncio.gather(*(ask_on_and_on(session) for _ in range(connections)))
    return Rate(per_second=answered / seconds, generator=(time.process_time() - begun) / seconds)


async def arrive(
    urls: list[str], rate: float, until: asyncio.Event, *, sending: float = 0
) -> Arrivals:
    """Asks at a fixed rate, each time on a connection of its own, as many clients do.

    Args:
        urls: What is asked for in turn.
        rate: Requests a second, of all together.
        until: Ends it; what is under way is still waited for.
        sending: Seconds that each client takes to send its request.
    """
    latencies: list[float] = []
    failures: list[str] = []
    begin = time.monotonic()

    async def ask(session: aiohttp.ClientSession, url: str, intended: float) -> None:
        asking = slow_outcome(url, sending) if sending else _outcome(session, url)
        failure = await asking
        latencies.append(time.monotonic() - intended)
        if failure:
            failures.append(f"{urlsplit(url).path}: {failure}")

    async with _session(keep_alive=False) as session, asyncio.TaskGroup() as asked:
        number = 0
        while not until.is_set():
            intended = begin + number / rate
            await asyncio.sleep(max(0.0, intended - time.monotonic()))
            asked.create_task(ask(session, urls[number % len(urls)], intended))
            number += 1
    return Arrivals(latencies=tuple(latencies), failures=tuple(failures))


def _session(*, keep_alive: bool) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=0, force_close=not keep_alive)
    return aiohttp.ClientSession(connector=connector, timeout=_PATIENCE)


async def _outcome(session: aiohttp.ClientSession, url: str) -> str | None:
    """Returns why a request was not answered with 200; None if it was."""
    try:
        async with session.get(url, allow_redirects=False) as answer:
            await answer.read()
            return None if answer.status == _OK else f"status {answer.status}"
    except (aiohttp.ClientError, TimeoutError) as error:
        return type(error).__name__
