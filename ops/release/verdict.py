"""Whether what was released runs and answers: the checks of `validate` that a release can break."""

import operator
import time
from collections.abc import Sequence
from dataclasses import dataclass

from console.waiting import last_answer
from ops.checks import Check, endpoints, objects, probes, workloads
from ops.context import Target
from ops.findings import Finding
from ops.release.rollout import Rollout
from ops.round_trip import UNANSWERED, addresses, round_trip
from ops.validation import run, run_all

_CHECKS: Sequence[Check] = (objects, workloads, probes, endpoints, addresses, round_trip)
_OF_PODS = {"pod", "deployment", "statefulset", "cluster"}
_PATIENCE_SECONDS = 20.0
"""For nodes to learn of pods that are ready, after which an answer is the application's own."""
_LOOKS = 2
"""At least: where nothing answers at first, one look alone may take longer than that."""
_SECONDS_TO_MEND = 60.0
"""For a pod that did not run before, and which the update may have given what it lacked.

The kubelet tries anew 10 to 15 s after it found no image (`backOffPeriod` in its pod_workers.go).
"""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What does not run or answer after an update."""

    new: Sequence[Finding]
    """What did before."""
    still: Sequence[Finding]
    """What did not before either."""

    @property
    def unmended(self) -> Finding | None:
        """The first that still is wrong, and is not perhaps the way from this machine."""
        return next((it for it in self.still if it.cause not in UNANSWERED), None)


def broken(to: Target, checks: Sequence[Check] = _CHECKS) -> list[Finding]:
    """Returns what does not run or answer.

    Args:
        to: The stack.
        checks: What is looked at.

    Raises:
        Failure: The stack or its cluster cannot be asked.
    """
    return [it for it in run(to, checks) if it.state == "failed"]


def settled(to: Target, before: Sequence[Finding], rollout: Rollout) -> Verdict:
    """Returns what does not run or answer once that has settled.

    A pod that is on its way gets the time that the rollout gives it: a Deployment that scales by
    its load, or an operator, makes some after the update too. One that did not run before gets a
    minute, since nothing says that it ever will. A pod of before that still answers, on its way
    out, says nothing of what was released, so it is waited for, too.

    Args:
        to: The stack.
        before: What was broken before.
        rollout: The new pods.

    Raises:
        Failure: The stack or its cluster cannot be asked.
    """
    seen = {it.check for it in before}
    mended = time.monotonic() + min(_SECONDS_TO_MEND, rollout.patience)

    def is_decided(found: Sequence[Finding]) -> bool:
        given_up = seen if time.monotonic() >= mended else ()
        on_their_way = (it for it in found if _kind(it) in _OF_PODS and it.check not in given_up)
        return not any(on_their_way) or rollout.obstacle() is not None

    def pods() -> list[Finding]:
        # Without the round trips, of which the application takes so many only.
        return broken(to, (workloads,))

    deadline = time.monotonic() + rollout.patience
    while True:
        last_answer(pods, is_decided, deadline - time.monotonic(), every=2.0)
        last_answer(rollout.is_making_room, operator.not_, deadline - time.monotonic(), every=1.0)
        found = last_answer(
            lambda: broken(to), operator.not_, _PATIENCE_SECONDS, every=2.0, least=_LOOKS
        )
        if is_decided(found) or time.monotonic() >= deadline:
            break
    known = {_subject(it) for it in before}
    return Verdict(
        new=[it for it in found if _subject(it) not in known],
        still=[it for it in found if _subject(it) in known],
    )


def diagnosis(to: Target) -> list[Finding]:
    """Returns all that `validate` finds wrong, drift left out: an update was not to its end."""
    return [it for it in run_all(to, drift=False) if it.state != "ok"]


def _kind(finding: Finding) -> str:
    return finding.check.partition(" ")[0]


def _subject(finding: Finding) -> str:
    """Returns what a finding is about; pods have another name each time."""
    kind, _, name = finding.check.partition(" ")
    return f"pod {name.rsplit('-', 2)[0]}" if kind == "pod" else finding.check
