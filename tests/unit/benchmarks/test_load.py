"""The generator of requests, against a server of this test's own."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from bench.load import arrive, saturate
from bench.slow_client import slow_outcome

_Handler = Callable[[web.Request], Awaitable[web.Response]]


@asynccontextmanager
async def _server(handler: _Handler) -> AsyncGenerator[str]:
    application = web.Application()
    application.router.add_get("/", handler)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        await runner.cleanup()


def test_requests_arrive_while_none_is_answered_and_their_waiting_counts() -> None:
    """A closed loop would have sent one, and called its own pause no latency."""
    release = asyncio.Event()
    waiting = 0

    async def hold(request: web.Request) -> web.Response:
        nonlocal waiting
        waiting += 1
        if waiting == 5:
            release.set()
        await release.wait()
        return web.Response()

    async def run() -> int:
        until = asyncio.Event()
        async with _server(hold) as url, asyncio.timeout(120):
            arriving = asyncio.create_task(arrive([url], 100, until))
            await release.wait()
            until.set()
            found = await arriving
        assert found.failures == ()
        # The first one is held until the fifth is sent, four intervals later on any machine.
        assert max(found.latencies) >= 4 / 100
        assert len(found.latencies) == waiting
        return waiting

    assert asyncio.run(run()) >= 5


def test_what_is_not_answered_with_200_is_a_failure_and_says_why() -> None:
    asked = 0

    async def run() -> set[str]:
        until, twice = asyncio.Event(), asyncio.Event()

        async def refuse(request: web.Request) -> web.Response:
            nonlocal asked
            asked += 1
            if asked == 2:  # so the other was asked in between
                twice.set()
            return web.Response(status=503)

        async with _server(refuse) as url, asyncio.timeout(60):
            arriving = asyncio.create_task(arrive([url, "http://127.0.0.1:9/closed"], 100, until))
            await twice.wait()
            until.set()
            failures = (await arriving).failures
        return set(failures)

    assert asyncio.run(run()) == {"/: status 503", "/closed: ClientConnectorError"}


def test_a_slow_client_is_answered_when_its_request_is_complete() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text="page")

    async def run() -> tuple[float, ...]:
        until = asyncio.Event()
        async with _server(answer) as url:
            arriving = asyncio.create_task(arrive([url], 100, until, sending=0.2))
            await asyncio.sleep(0.05)
            until.set()
            found = await arriving
        assert found.failures == ()
        return found.latencies

    assert min(asyncio.run(run())) >= 0.2


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart"])
def test_a_slow_client_that_is_cut_off_has_failed(answer: bytes) -> None:
    """With half a request sent, or half an answer received."""

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        writer.close()

    async def run() -> str | None:
        server = await asyncio.start_server(cut, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await slow_outcome(f"http://127.0.0.1:{port}/", 0.05)

    assert asyncio.run(run()) in {"IncompleteReadError", "ConnectionResetError", "BrokenPipeError"}


def test_connections_are_used_again_only_where_that_is_wanted() -> None:
    async def run(*, keep_alive: bool) -> tuple[int, int]:
        connections = set[object]()
        requests = 0

        async def answer(request: web.Request) -> web.Response:
            nonlocal requests
            requests += 1
            connections.add(request.transport)
            return web.Response()

        async with _server(answer) as url:
            rate = await saturate(url, 1.0, connections=2, keep_alive=keep_alive)
        assert round(rate.per_second) == requests
        return len(connections), requests

    again = asyncio.run(run(keep_alive=True))
    anew = asyncio.run(run(keep_alive=False))
    assert again[0] <= 2 < again[1]
    assert anew[0] == anew[1] > 2


def test_refusals_are_no_answers() -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=503)

    async def run() -> float:
        async with _server(refuse) as url:
            return (await saturate(url, 0.1, connections=1, keep_alive=True)).per_second

    assert asyncio.run(run()) == 0
