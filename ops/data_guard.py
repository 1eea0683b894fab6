"""What holds data is not deleted or replaced unless somebody has named it."""

from collections.abc import Collection, Iterator, Mapping

from cluster_objects.preview import Plan, Step
from console.confirm import confirm
from console.failure import ExitCode, Failure
from ops import invocation
from ops.contract import Operations
from ops.password_rotation import PASSWORD

_GOES = {"delete", "replace", "create-replacement", "delete-replaced"}
"""Pulumi's operations after which the resource is not the one that was there."""
_LOST: Mapping[str, str] = {
    "kubernetes:apps/v1:StatefulSet": "the server is down until there is another, which may not "
    "find what this one has written",
    "kubernetes:core/v1:PersistentVolumeClaim": "what is on its volume is lost",
    "kubernetes:core/v1:PersistentVolume": "what is on it may be lost",
    "kubernetes:core/v1:Namespace": "everything in it is deleted, volumes included",
    "kubernetes:postgresql.cnpg.io/v1:Cluster": "the databases and their volumes are deleted",
    "random:index/randomPassword:RandomPassword": "its value is lost, and whatever "
    "was made with it stays locked",
}
"""Type of what holds data to what goes with it."""
_LOCKED = (
    "the pods would be told another password than the server knows; `rotate-password` changes it "
    "in both places"
)


def losses(plan: Plan, contract: Operations | None) -> dict[str, str]:
    """Returns what would go that holds data: its name as `--replace-data` takes it, to the loss.

    What Pulumi only forgets (`retainOnDelete`) stays, and is no loss.

    Args:
        plan: What an update would do.
        contract: What the stack says to operations, which knows its password's Secrets; None: only
            what always holds data counts.
    """
    passwords = {*_password_secrets(contract)} if contract else set[str]()
    found: dict[str, str] = {}
    for step in plan.steps:
        lost = _LOCKED if step.urn in passwords else _LOST.get(step.type)
        if lost and step.op in _GOES and not step.kept:
            found[_called(step)] = lost
    return found


def check(
    plan: Plan, contract: Operations | None, named: Collection[str], *, stack: str, assume_yes: bool
) -> None:
    """Refuses an update that takes away what holds data, unless all of it is named and confirmed.

    Where nobody knows what it would do, somebody has to have looked at the preview.

    Args:
        plan: What the update would do.
        contract: What the stack says to operations; None: nothing that can be read.
        named: What may go, as `losses` calls it.
        stack: The stack's name.
        assume_yes: Whether nobody is asked.

    Raises:
        Failure: Something was not named, or the answer was no.
    """
    found = losses(plan, contract)
    unnamed = {name: lost for name, lost in found.items() if name not in named}
    if unnamed:
        what = "; ".join(f"{name}: {lost}" for name, lost in unnamed.items())
        options = " ".join(f"--replace-data {name}" for name in found)
        release = invocation.ops(stack, f"release {options}")
        make = invocation.make_up(stack, f'REPLACE_DATA="{" ".join(found)}"')
        raise Failure(
            f"This update would delete or replace what holds data ({what}); undo the change that "
            "asks for it, or, if that may go, back up and say so: "
            f"`{release}`, or `{make}`; nothing was changed.",
            ExitCode.REFUSED,
        )
    if not plan.whole:
        confirm(
            "This version does not understand what Pulumi's preview has told it, so look above "
            "yourself: is nothing that holds data deleted or replaced?",
            assume_yes=assume_yes,
        )
    for name, lost in found.items():
        confirm(f"Delete or replace {name} ({lost})?", assume_yes=assume_yes)


def _called(step: Step) -> str:
    return f"{step.kind}/{step.name}"


def _password_secrets(contract: Operations) -> Iterator[str]:
    """Yields the URNs of Secrets with the database's password and nothing else.

    Those with other secrets besides are made anew whenever one of these changes.
    """
    others = {urn for it in contract.secrets if it.name != PASSWORD for urn in it.targets}
    for it in contract.secrets:
        if it.name == PASSWORD:
            yield from (urn for urn in it.targets if ":Secret::" in urn and urn not in others)
