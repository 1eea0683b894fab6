"""All pods of the application replaced while requests arrive at a fixed rate: none may fail."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from bench.load import Arrivals, arrive
from bench.manifests import wait_ready
from bench.row import Result, Row, Unit
from bench.series import Series
from bench.stack import BenchStack
from bench.wanted import ValueAtMost

_RATE = 60
"""Requests a second, a part of what two pods each can answer even while they start."""
_DEPLOYMENTS = ("deployment/backend", "deployment/frontend")
_APPLICATIONS = "app.kubernetes.io/component in (backend,frontend)"
_OURS = "as deployed"
_WITHOUT_WAIT = "without preStop"
_CONTROL = "negative control: without preStop, killed without grace"
_CONTROL_RUNS = 1
"""Enough to see that a request that fails is noticed."""


def measure(stack: BenchStack, runs: int) -> Sequence[Result]:
    """Measures rollouts as deployed, and such without what lets requests end.

    Without preStop alone the servers still answer until nothing has come for a while; so the
    control has pods that are killed at once.
    """
    stack.up()
    found = {_OURS: _rollouts(stack, runs)}
    with stack.changed(_without_pre_stop):
        found[_WITHOUT_WAIT] = _rollouts(stack, _CONTROL_RUNS)
        patch = {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 0}}}}
        stack.kubectl("patch", *_DEPLOYMENTS, "--patch", json.dumps(patch))
        found[_CONTROL] = _rollouts(stack, _CONTROL_RUNS)
    sent = ", ".join(
        f"{sum(len(run.latencies) for run in them):,} {name}" for name, them in found.items()
    )
    failed = {name: [float(len(run.failures)) for run in them] for name, them in found.items()}
    examples = [failure for run in found[_OURS] for failure in run.failures][:1]
    noticed = sum(failed[_CONTROL]) > 0
    verdict = "" if noticed else "; the control did not fail, so that 0 proves nothing"
    return [
        _row(
            "requests that fail",
            Unit.FAILED,
            failed,
            f"{_RATE} requests arrive a second, each on a connection of its own: {sent}{verdict}"
            + "".join(f"; failed as deployed: {it}" for it in examples),
            proven=noticed,
        ),
        _row(
            "the slowest 1 % of requests take",
            Unit.SECONDS,
            {name: [_slowest(run) for run in them] for name, them in found.items()},
            "counted from when a request was to be sent",
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


def _rollouts(stack: BenchStack, runs: int) -> list[Arrivals]:
    wait_ready(stack.namespace)
    return [asyncio.run(_rollout(stack)) for _ in range(runs)]


async def _rollout(stack: BenchStack) -> Arrivals:
    urls = [stack.output("frontendUrl") + "/", stack.output("backendUrl") + "/health"]
    done = asyncio.Event()

    async def roll() -> None:
        await asyncio.sleep(2)  # requests arrive already
        await asyncio.to_thread(_roll, stack)
        await asyncio.sleep(1)
        done.set()

    async with asyncio.TaskGroup() as both:
        arriving = both.create_task(arrive(urls, _RATE, done))
        both.create_task(roll())
    return arriving.result()


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
