"""`make addons` and `make addons-down`: the add-ons of a stack's cluster."""

from __future__ import annotations

from collections.abc import Collection, Generator
from contextlib import contextmanager
from typing import Any

from cluster_objects.cut_off import was_cut_off
from cluster_objects.json_tree import part
from console.confirm import confirm
from console.failure import Failure
from distribution.cluster import loopback, node, registry
from toolchain import (
    addon_findings,
    addon_removal,
    findings,
    groundwork,
    health,
    machine,
    ownership,
    paths,
    plugins,
    python_env,
    tools,
    ui,
)
from toolchain.addon_removal import Leaving
from toolchain.kubectl import Kubectl, KubectlError
from toolchain.project import ADDONS
from toolchain.providers.embedded import without_registry
from toolchain.stack import Stack
from toolchain.state import outputs_in
from toolchain.survey import Target, locate, stacks_in


def up(name: str, *, yes: bool) -> None:
    """Brings the parts that the stack file chooses into the cluster.

    Args:
        name: The stack of the add-ons; on a local cluster it is that of the application's stack of
            the same name, which is started or made.
        yes: Do not ask before a part is removed whose block is no longer in the file.

    Raises:
        Failure: Something cannot be had; the sentence says what to do.
    """
    stack = Stack(name, ADDONS)
    builds_pulumi = tools.builds_pulumi()
    python_env.ensure("addons", constrained=builds_pulumi)
    place = stack.check_settings()
    if part(stack.settings(), "cluster").get("kind") == "local":
        place = _prepare_local(stack, builds_pulumi=builds_pulumi)
    else:
        groundwork.lay(None, builds_pulumi=builds_pulumi, first=False)
        _ensure_pulumi()
    with ui.step("Stack"):
        state = stack.state()
        if builds_pulumi:
            plugins.check_update(name, state)
        stack.prepare(state)
        target = locate(stack, place, state)
        ownership.refuse_move(target, place)
        chosen = addon_removal.chosen(stack.settings())
        going = _going(target, state, chosen) if target.resources else None
        looked = health.look(name, state, outputs_in(state))
    if looked.missing:
        ui.say(f"  gone from the cluster: {looked.missing}; they are made again")
    if going and going.parts:
        addon_removal.show(going)
        confirm("Remove this for good?", assume_yes=yes, flag="YES=1")
    with ui.step("pulumi up"):
        refresh = bool(looked.missing) or was_cut_off(state)
        if not stack.up(refresh=refresh, unready=looked.unready):
            ui.say("  nothing is to be changed, so there is no update")
    stays = addon_removal.finish(going, stack.make("addons-down")) if going else []
    outputs = outputs_in(stack.export())
    if target.embedded:
        registry.trust(paths.CLUSTER, outputs.get("registryAuthority"))
        loopback.lead(paths.CLUSTER, outputs.get("gatewayPorts") or [])
    ui.summary()
    for it in stays:
        ui.say(f"  stays: {it}")
    ui.say("")
    for title, value in outputs.items():
        # Certificates are for files.
        if isinstance(value, str) and "\n" not in value:
            ui.say(f"  {title}: {value}")


def _prepare_local(stack: Stack, *, builds_pulumi: bool) -> dict[str, Any]:
    """Starts or makes the cluster of the application's stack, and what the parts need in it.

    Returns:
        Kubeconfig and context of the cluster.
    """
    application = Stack(stack.name)
    place = application.check_settings()
    choice = machine.chosen(application)
    groundwork.lay(choice, builds_pulumi=builds_pulumi, first=False)
    _ensure_pulumi()
    if choice and machine.moves(application, choice):
        ownership.refuse_new_cluster(application, choice.called)
    if machine.prepare(application, choice):
        place = application.check_settings()
    given = stack.settings()
    embedded = choice is not None and choice.provider.key == "embedded"
    found = addon_findings.find(given, embedded=embedded, builds=embedded and without_registry())
    named = part(given, "cluster")
    where = {key: place[key] for key in ("kubeconfig", "context") if place[key]}
    found["cluster"] = findings.left_open(where, named)
    addon_findings.write(stack.name, found)
    return {**place, **where, **{key: named[key] for key in where if named.get(key)}}


def _ensure_pulumi() -> None:
    with ui.step("Pulumi"):
        tools.ensure_pulumi()


def down(name: str, *, yes: bool) -> None:
    """Shows which parts a stack has and what goes with them, asks, and removes them.

    Args:
        name: The stack of the add-ons.
        yes: Do not ask.

    Raises:
        Failure: The cluster does not answer, or something did not go.
    """
    stack = Stack(name, ADDONS)
    place = stack.check_settings()
    # Where everything but a definition is gone, no provider in the state says it.
    place |= {k: v for k, v in addon_findings.cluster(name).items() if not place[k]}
    state = stack.state()
    target = locate(stack, place, state)
    if not target.known:
        ui.say(f"There are no add-ons of stack {name}; nothing was changed.")
        return
    if target.embedded and not node.exists():
        ui.say(f"The embedded cluster that the add-ons {name} were in is gone, and they with it.")
        confirm("Forget them?", assume_yes=yes, flag="YES=1")
        stack.forget(force=True)
        ui.say(f"They are forgotten; `{stack.make('addons')}` starts anew.")
        return
    if tools.runs_built():
        plugins.check_removal(name, state, stack.make("addons"))
    going = _going(target, state, frozenset())
    if target.resources or going.namespaces:
        addon_removal.show(going)
        confirm("Remove this for good?", assume_yes=yes, flag="YES=1")
        with ui.step("pulumi destroy"):
            stack.destroy()
    stays = addon_removal.finish(going, stack.make("addons-down"))
    if target.embedded:
        registry.trust(paths.CLUSTER, None)
        loopback.lead(paths.CLUSTER, [])
    if stays:
        # It has the stack's mark, by which the next `make addons` knows it.
        ui.say(f"The add-ons {name} are removed, except: {'; '.join(stays)}.")
    else:
        stack.forget()
        ui.say(f"The add-ons {name} are removed; `{stack.make('addons')}` starts anew.")
    if target.embedded and not stacks_in(target.kubeconfig, target.context):
        ui.say("No stack is in the embedded cluster any more; `make cluster-down` removes it.")


def _going(target: Target, state: dict[str, Any] | None, chosen: Collection[str]) -> Leaving:
    """Returns what goes of what is deployed, unless it is somebody else's by now or held by them.

    Raises:
        Failure: It is, or the cluster does not answer.
    """
    parts = {n: urn for n, urn in addon_removal.deployed(state).items() if n not in chosen}
    with _answering(target) as kubectl:
        ownership.refuse_elsewhere(target, kubectl)
        ownership.refuse_taken(target, kubectl)
        addon_removal.refuse_held(target, kubectl, parts)
        return addon_removal.leaving(target, kubectl, parts, everything=not chosen)


@contextmanager
def _answering(target: Target) -> Generator[Kubectl]:
    """Gives `kubectl` on the cluster of a stack, to look at it.

    Raises:
        Failure: It does not answer.
    """
    stack = target.stack
    try:
        yield target.kubectl()
    except KubectlError as error:
        raise Failure(
            f"The cluster of the add-ons {stack.name} (context {target.context or '(current)'}) "
            f"does not answer ({str(error).rstrip('.')}): start it "
            f"(`{stack.make('cluster-start')}` where `make up` made it), or correct its "
            "kubeconfig, and run this again; if it is gone for good, forget them with: "
            f"{stack.forgetting}; nothing was changed."
        ) from None
