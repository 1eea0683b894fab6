"""The frontend with much to do while it is rolled: all is answered, and no pod is killed."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from tests.e2e.deployment import Deployment

PAGES = 120
"""Pages a second: three times what two pods of 200m CPU could render, a fraction of what they
send as it was built."""
ANSWERS = 300
"""Answers of the API a second, of which both pods pass on less than half on most machines."""
PATIENCE_SECONDS = 60
_MOST_AT_ONCE = 800
"""Connections, of which a process may often have 1,024."""
_LONGEST_PAUSE = 0.5
"""Seconds that are made up for where the machine did not let the client go on in time."""


@dataclass
class Flood:
    """Asks at a rate, whatever becomes of those before: an open loop.

    Each request has a connection of its own, as from many clients. Plain sockets, since the
    client must not be what is slow.
    """

    url: str
    rate: int
    outcomes: Counter[str] = field(default_factory=Counter[str])
    without_retry_after: int = 0

    async def run(self, until_done: asyncio.Event) -> None:
        """Asks until the event is set, then waits for what is still to be answered."""
        asked: set[asyncio.Task[None]] = set()
        due, looked = 0.0, time.monotonic()
        while not until_done.is_set():
            now = time.monotonic()
            due, looked = due + min(now - looked, _LONGEST_PAUSE) * self.rate, now
            while due >= 1:
                due -= 1
                if len(asked) == _MOST_AT_ONCE:
                    continue
                task = asyncio.create_task(self._ask())
                asked.add(task)
                task.add_done_callback(asked.discard)
            await asyncio.sleep(0.01)
        await asyncio.gather(*asked)

    async def _ask(self) -> None:
        address = urlsplit(self.url)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                reader, writer = await asyncio.open_connection(address.hostname, address.port)
                head = (
                    f"GET {address.path or '/'} HTTP/1.1\r\nHost: todo\r\nConnection: close\r\n\r\n"
                )
                writer.write(head.encode())
                answer = (await reader.read()).decode(errors="replace")
                writer.close()
        except (OSError, TimeoutError) as error:
            self.outcomes[repr(error)] += 1
            return
        head, _, body = answer.partition("\r\n\r\n")
        status = head[9:12]
        complete = "</html>" in body or '"detail":' in body
        self.outcomes[status if complete else f"cut off: {head[:80]!r}"] += 1
        self.without_retry_after += status == "503" and "retry-after:" not in head.lower()


async def _roll(deployment: Deployment, done: asyncio.Event) -> None:
    await asyncio.sleep(10)  # busy before it begins
    for _ in range(2):
        for command in (
            ("rollout", "restart", "deployment/frontend"),
            ("rollout", "status", "deployment/frontend", "--timeout=900s"),
        ):
            await asyncio.to_thread(deployment.kubectl, *command)
    await asyncio.sleep(10)
    done.set()


def _restarts(deployment: Deployment) -> list[str]:
    """Pods of the frontend whose container was started more than once."""
    pods = deployment.objects("pods", "-l", "app.kubernetes.io/component=frontend")["items"]
    return [
        pod["metadata"]["name"]
        for pod in pods
        if any(c["restartCount"] for c in pod["status"].get("containerStatuses", []))
    ]


@pytest.mark.parametrize(
    ("path", "rate", "outcomes"),
    [("/", PAGES, {"200"}), ("/api/me", ANSWERS, {"401", "503"})],
    ids=["pages within capacity", "the API beyond it"],
)
def test_rolling_answers_every_request(
    deployment: Deployment, path: str, rate: int, outcomes: set[str]
) -> None:
    flood = Flood(deployment.frontend + path, rate)
    already = _restarts(deployment)

    async def both() -> None:
        done = asyncio.Event()
        await asyncio.gather(flood.run(done), _roll(deployment, done))

    try:
        asyncio.run(both())
    finally:
        deployment.wait_ready()
    # Whether this is beyond the capacity of a machine is asked below.
    assert flood.outcomes[min(outcomes)] > 0, flood.outcomes
    assert set(flood.outcomes) <= outcomes, flood.outcomes
    assert flood.without_retry_after == 0
    assert set(_restarts(deployment)) <= set(already)


def test_a_pod_that_is_overloaded_stays_ready(deployment: Deployment) -> None:
    before = deployment.pods("frontend")
    flood = Flood(f"{deployment.frontend}/api/me", ANSWERS)

    async def both() -> None:
        done = asyncio.Event()

        async def watch() -> list[int]:
            ready: list[int] = []
            for _ in range(8):
                await asyncio.sleep(5)
                found = await asyncio.to_thread(deployment.objects, "deployment/frontend")
                ready.append(found["status"].get("readyReplicas", 0))
                if not flood.outcomes["503"]:
                    flood.rate *= 2  # a fast machine has not enough to do
            done.set()
            return ready

        _, ready = await asyncio.gather(flood.run(done), watch())
        assert min(ready) == len(before), ready

    asyncio.run(both())
    assert flood.outcomes["503"] > 0, f"this was within capacity: {flood.outcomes}"
    assert deployment.pods("frontend") == before
