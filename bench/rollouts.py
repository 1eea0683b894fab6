"""All pods of the application replaced while requests arrive at a fixed rate: none may fail."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.load import Arrivals, arrive
from bench.manifests import wait_ready
from bench.row import Result, Row, Unit
from bench.series import Series
from bench.stack import BenchStack
from bench.wanted import ValueAtMost

_RATE = 60
"""Requests a second, a part of what two pods each can answer even while they start."""
_SLOW_RATE, _SLOW_SECONDS = 20, 4
"""Requests a second that take so long to arrive, so that 80 are always under way.

That is longer than the servers wait by themselves for what has reached them in part, once nothing
new comes (the frontend for one second, the backend for two), and shorter than `preStop` and that
together. So it is `preStop` that they depend on.
"""
_DEPLOYMENTS = ("deployment/backend", "deployment/frontend")
_APPLICATIONS = "app.kubernetes.io/component in (backend,frontend)"
_OURS, _CONTROL = "as deployed", "negative control: without preStop"
_CONTROL_RUNS = 1
"""Enough to see that a request that fails is noticed."""


@dataclass(frozen=True, kw_only=True)
class _Rollout:
    """What became of the requests while all pods were replaced."""

    quick: Arrivals
    slow: Arrivals

    @property
    def sent(self) -> int:
        return len(self.quick.latencies) + len(self.slow.latencies)

    @property
    def failures(self) -> tuple[str, ...]:
        return (*self.quick.failures, *(f"slow {it}" for it in self.slow.failures))


def measure(stack: BenchStack, runs: int) -> Sequence[Result]:
    """Measures rollouts as deployed, and one without what lets requests end."""
    stack.up()
    found = {_OURS: _rollouts(stack, runs)}
    with stack.changed(_without_pre_stop):
        found[_CONTROL] = _rollouts(stack, _CONTROL_RUNS)
    sent = ", ".join(f"{sum(run.sent for run in them):,} {name}" for name, them in found.items())
    failed = {name: [float(len(run.failures)) for run in them] for name, them in found.items()}
    examples = [failure for run in found[_OURS] for failure in run.failures][:1]
    noticed = sum(failed[_CONTROL]) > 0
    slow = sum(len(run.slow.failures) for run in found[_CONTROL])
    verdict = (
        f"; of the control's that failed {slow} were slow"
        if noticed
        else "; the control did not fail, so that 0 proves nothing"
    )
    return [
        _row(
            "requests that fail",
            Unit.FAILED,
            failed,
            f"{_RATE} requests arrive a second at once and {_SLOW_RATE} within {_SLOW_SECONDS} s, "
            f"each on a connection of its own: {sent}{verdict}"
            + "".join(f"; failed as deployed: {it}" for it in examples),
            proven=noticed,
        ),
        _row(
            "the slowest 1 % of requests take",
            Unit.SECONDS,
            {name: [_slowest(run.quick) for run in them] for name, them in found.items()},
            "of those that arrive at once, counted from when they were to be sent",
        ),
    ]


def _row(
    what: str, unit: Unit, found: dict[str, list[float]], note: str, *, proven: bool = True
) -> Row:
    return Row(
        what=f"both Deployments rolled: {what}",
        unit=unit,
        ours=_OURS,
        peer=None,
        series={name: Series(runs=tuple(it)) for name, it in found.items()},
        wanted=ValueAtMost(number=0) if unit is Unit.FAILED else None,
        note=note,
        proven=proven,
    )


def _without_pre_stop(settings: dict[str, Any]) -> None:
    for app in ("backend", "frontend"):
        settings[app]["preStopSeconds"] = 0


def _rollouts(stack: BenchStack, runs: int) -> list[_Rollout]:
    wait_ready(stack.namespace)
    return [asyncio.run(_rollout(stack)) for _ in range(runs)]


async def _rollout(stack: BenchStack) -> _Rollout:
    urls = [stack.output("frontendUrl") + "/", stack.output("backendUrl") + "/health"]
    done = asyncio.Event()

    async def roll() -> None:
        await asyncio.sleep(_SLOW_SECONDS + 1)  # as many are under way as ever
        await asyncio.to_thread(_roll, stack)
        await asyncio.sleep(1)
        done.set()

    async with asyncio.TaskGroup() as together:
        quick = together.create_task(arrive(urls, _RATE, done))
        slow = together.create_task(arrive(urls, _SLOW_RATE, done, sending=_SLOW_SECONDS))
        together.create_task(roll())
    return _Rollout(quick=quick.result(), slow=slow.result())


def _roll(stack: BenchStack) -> None:
    """Replaces all pods, and returns when those from before are gone."""
    before = stack.kubectl("get", "pods", "-l", _APPLICATIONS, "-o", "name").split()
    stack.kubectl("rollout", "restart", *_DEPLOYMENTS)
    wait_ready(stack.namespace, *_DEPLOYMENTS)
    stack.kubectl("wait", "--for=delete", "--timeout=120s", *before)


def _slowest(run: Arrivals) -> float:
    """Returns the latency that 99 % of the requests do not reach."""
    ordered = sorted(run.latencies)
    return ordered[int(len(ordered) * 0.99)]
