"""A release from preview to verdict, and back to the former images when it is no good."""

import operator
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace

from cluster_objects.cut_off import was_cut_off
from cluster_objects.preview import Plan
from console.failure import Failure
from console.waiting import last_answer
from ops import data_guard, invocation
from ops.context import Target
from ops.contract import Operations, Service, UnreadableOperationsError
from ops.findings import Finding
from ops.release import former_images, pulumi_run, restore_point, verdict
from ops.release.interruption import interruptible, take_over
from ops.release.rollout import Rollout
from ops.release.verdict import Verdict
from ops.terminal import progress, say
from ops.validation import show

_WITHOUT = (
    "so nothing is checked or backed up, and no image goes back; what holds data is guarded by its "
    "kind alone."
)

_UNTOUCHED = "before the update, so nothing was changed; run this again"
_UNFINISHED = "in the update: what it had changed by then is deployed, but not checked"


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What a person chose of a release."""

    refresh: bool
    """Whether what is really there is looked at first."""
    replaced_data: Sequence[str]
    """What holds data and may go, as the guard calls it."""
    restore_point: bool
    """Whether there is a backup before what might change data."""
    seconds: float | None
    """How long a new pod may take to get ready; None: as long as its Deployment says."""
    yes: bool
    """Whether nobody is asked."""


def release(to: Target, plan: Plan | None, choices: Choices) -> bool:
    """Brings what the stack file and the sources say to the cluster, safely.

    Args:
        to: The stack, which is deployed.
        plan: What a preview has just said; None: there was none.
        choices: What a person chose.

    Returns:
        Whether there was an update.

    Raises:
        Failure: Nothing was changed, or the images of before are back, or they could not be brought
            back, or what is released was not checked or is no better than before, or somebody has
            interrupted it: the sentence says which.
    """
    with interruptible(_UNTOUCHED):
        contract = _contract(to)
        take_over(to.stack.pulumi)
        if plan is None and not choices.refresh and was_cut_off(to.stack.pulumi.export()):
            say("An earlier update was cut off: what it has changed is looked at first.")
            choices = replace(choices, refresh=True)
    if contract is None:
        return _update_alone(to, plan, choices)
    with interruptible(_UNTOUCHED):
        with ThreadPoolExecutor(1) as beside:
            looking = beside.submit(_broken_before, to)
            plan = plan or pulumi_run.planned(to.stack.pulumi, refresh=choices.refresh)
            before = looking.result()
        if plan.nothing and not before:
            return _say_that_there_is_no_update()
        data_guard.check(
            plan,
            contract,
            choices.replaced_data,
            stack=to.stack.pulumi.name,
            assume_yes=choices.yes,
        )
        backup = None
        if choices.restore_point and restore_point.is_wanted(plan, contract):
            backup = restore_point.make(to)
        rollout = Rollout(to.cluster, contract.services, choices.seconds)
    former = _former(to, contract, backup)
    go_on = f"go on with `{invocation.ops(to.stack.pulumi.name, 'release --refresh')}`"
    with interruptible(f"{_UNFINISHED}; {go_on}; {former}"):
        reason = pulumi_run.update(to.stack.pulumi, *_refresh(choices), rollout=rollout)
    if reason is None:
        look = f"see `{invocation.ops(to.stack.pulumi.name, 'validate')}`; {former}"
        with interruptible(f"after the update: released, but not checked; {look}"):
            found = _checked(to, before, rollout, look)
        if not found.new:
            _say_released(to, found)
            return True
        reason = f"{found.new[0].check}: {found.new[0].detail}"
    back = f"on the way back: release failed: {reason.rstrip('.')}; fix that and run this again"
    with interruptible(f"{back}; {former}"):
        _show_diagnosis(to, reason)
        failed = _taken_back(to, contract, reason, backup, before, choices)
    raise failed


def _checked(to: Target, before: Sequence[Finding], rollout: Rollout, look: str) -> Verdict:
    try:
        with progress("Checking what was released"):
            return verdict.settled(_afresh(to), before, rollout)
    except Failure as failure:
        said = f"released, but not checked: {str(failure).rstrip('.')}; {look}"
        raise Failure(said, failure.code) from None


def _contract(to: Target) -> Operations | None:
    """Returns what the stack says to operations; None: it is another version's, which is said."""
    try:
        return to.stack.contract
    except UnreadableOperationsError as unreadable:
        say(f"What is deployed is another version's ({unreadable.what}): {_WITHOUT}", "yellow")
        return None


def _update_alone(to: Target, plan: Plan | None, choices: Choices) -> bool:
    """Runs an update of what cannot be read, with no more than the guard."""
    with interruptible(_UNTOUCHED):
        plan = plan or pulumi_run.planned(to.stack.pulumi, refresh=choices.refresh)
        if plan.nothing:
            return _say_that_there_is_no_update()
        data_guard.check(
            plan, None, choices.replaced_data, stack=to.stack.pulumi.name, assume_yes=choices.yes
        )
    go_on = invocation.ops(to.stack.pulumi.name, "release --refresh")
    with interruptible(f"{_UNFINISHED}; go on with `{go_on}`"):
        reason = pulumi_run.update(to.stack.pulumi, *_refresh(choices), rollout=None)
    if reason:
        raise Failure(f"{reason}; fix that and run this again.")
    say(f"Released; see `{invocation.ops(to.stack.pulumi.name, 'validate')}`.", "green")
    return True


def _refresh(choices: Choices) -> Sequence[str]:
    return ["--refresh"] if choices.refresh else []


def _say_that_there_is_no_update() -> bool:
    say("Nothing is to be changed, so there is no update.", "green")
    return False


def _broken_before(to: Target) -> list[Finding]:
    try:
        # What is so for a moment alone would be no fault of the release's afterwards.
        return last_answer(lambda: verdict.broken(to), operator.not_, 0, every=2.0, least=2)
    except Failure:
        return []  # the update itself says what is wrong with the cluster


def _afresh(to: Target) -> Target:
    """Returns the same stack, whose outputs are read once more."""
    return Target(to.project, to.stack.pulumi.name)


def _say_released(to: Target, found: Verdict) -> None:
    if not found.still:
        say("Released: what was deployed runs and answers.", "green")
        return
    say("Released, but what did not work before still does not:", "yellow")
    show(found.still)
    if first := found.unmended:
        look = invocation.ops(to.stack.pulumi.name, "release --refresh")
        raise Failure(
            f"Released, but what did not work before still does not ({first.check}: "
            f"{first.detail.rstrip('.')}); nothing was taken back; do what is said above, or let "
            f"`{look}` look first at what is really there."
        )


def _former(to: Target, contract: Operations, backup: str | None) -> str:
    """Returns what somebody needs who wants to go back, in words."""
    images = ", ".join(f"{it.name} {it.image}" for it in contract.services)
    return f"the images of before, if you want them back: {images}{_data(to, backup)}"


def _data(to: Target, backup: str | None) -> str:
    if not backup:
        return ""
    return f"; the data of before: {invocation.ops(to.stack.pulumi.name, f'restore {backup}')}"


def _show_diagnosis(to: Target, reason: str) -> None:
    say("")
    say(f"The release is no good: {reason}", "bold red")
    with suppress(Failure), progress("Looking for what is wrong"):
        if found := verdict.diagnosis(_afresh(to)):
            show(found)


def _taken_back(
    to: Target,
    contract: Operations,
    reason: str,
    backup: str | None,
    before: Sequence[Finding],
    choices: Choices,
) -> Failure:
    """Goes back to the former images and returns what is to be said of all that."""
    former, data = contract.services, _data(to, backup)
    again = "fix what is said above and run this again"
    begin = f"release failed: {reason.rstrip('.')}"
    try:
        replaced = former_images.replaced(to.cluster, former)
        back = former_images.pinned(replaced)
        if not back:
            return Failure(f"{begin}; {_as_is(replaced)}; {again}{data}")
        named = ", ".join(f"{it.name} {it.image}" for it in back)
        say(f"Back to the images of before: {named}", "bold yellow")
        failed = _go_back(to, contract, before, choices.replaced_data)
        end = f"the images are those of before again: {named}"
    except Failure as failure:
        failed, end = str(failure), ""
    if failed:
        end = f"and the images of before could not be brought back: {failed.rstrip('.')}"
        with suppress(Failure):
            now = former_images.ready(to.cluster, former_images.pinned(former))
            end += f"; what runs now: {now}"
    return Failure(f"{begin}; {end}; {again}{data}")


def _as_is(replaced: Sequence[Service]) -> str:
    if replaced:
        names = " and ".join(it.name for it in replaced)
        return f"no setting of the stack that was deployed names the image of {names}, so it stays"
    return (
        "the images are the same as before, so there is nothing to take back, and the settings are "
        "deployed as far as Pulumi says above"
    )


def _go_back(
    to: Target, contract: Operations, before: Sequence[Finding], named: Sequence[str]
) -> str | None:
    """Runs an update with the former images; returns why it did not do, if it did not."""
    pulumi, former = to.stack.pulumi, former_images.pinned(contract.services)
    rollout = Rollout(to.cluster, former, None)
    with former_images.options(pulumi, former) as options:
        # An update that was ended early has not written down what it has changed.
        try:
            plan = pulumi_run.planned(pulumi, *options, refresh=True, rules=False)
        except Failure:
            return (
                "a preview with them failed with what it printed above; where the release has "
                "changed images.mode or images.signature too, no setting names them"
            )
        if lost := data_guard.losses(plan, contract).keys() - {*named}:
            return f"that would delete or replace what holds data ({', '.join(sorted(lost))})"
        take_over(pulumi)  # from an update that was killed
        reason = pulumi_run.update(pulumi, "--refresh", *options, rollout=rollout, rules=False)
    if reason:
        return reason
    try:
        with progress("Checking the images of before"):
            found = verdict.settled(_afresh(to), before, rollout).new
    except Failure as failure:
        return f"they are deployed, but not checked: {failure}"
    return f"they run, but {found[0].check}: {found[0].detail}" if found else None
