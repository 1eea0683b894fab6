"""Refuses to make a stack's things again where somebody else's are by now."""

from __future__ import annotations

from typing import Any

from cluster_objects.json_tree import part
from cluster_objects.stack_mark import STACK_MARK
from console.failure import Failure
from toolchain import environment
from toolchain.kubectl import Kubectl, KubectlError, Object, is_installed
from toolchain.stack import Stack
from toolchain.state import resources_in
from toolchain.survey import Target, mark, metadata

_LOOKS = 5
"""Somebody may have deleted one of the objects by which a cluster is known again."""


def refuse_move(target: Target, place: dict[str, Any]) -> None:
    """Refuses to move a stack: Pulumi would remove it, with its data, to make it anew elsewhere.

    Args:
        target: Where the stack is.
        place: Kubeconfig and context that its settings lead to.

    Raises:
        Failure: The settings lead to another cluster than the one that the stack is in.
    """
    stack = target.stack
    env = environment.complete(stack.name)
    if target.context == place["context"] is not None or not is_installed(env):
        return
    try:
        there = Kubectl(place["kubeconfig"], place["context"], env)
        if target.context is None:
            refuse_elsewhere(target, there)
            return
        if _is_in(target, there) is not False:
            return  # the same cluster by another name
    except KubectlError:
        return
    raise Failure(
        f"Stack {stack.name} is deployed to context {target.context}, but its settings lead to "
        f"context {there.context} at {there.server} by now, and moving it would remove it there "
        f"with its data: set cluster.context to {target.context}, or remove it first "
        f"({target.again}), or deploy another stack file; nothing was changed."
    )


def refuse_elsewhere(target: Target, kubectl: Kubectl) -> None:
    """Refuses what would be done to a namesake, where a stack names no context.

    Then Pulumi goes to whatever cluster is the current one: it would make the stack anew there, or
    forget the stack, whose things go on where they are.

    Args:
        target: Where the stack is.
        kubectl: The cluster of now.

    Raises:
        Failure: Nothing that the stack made is there.
        KubectlError: The cluster does not tell.
    """
    if target.context is not None or _is_in(target, kubectl) is not False:
        return
    stack = target.stack
    raise Failure(
        f"Nothing that stack {stack.name} made is in the cluster of context {kubectl.context} at "
        f"{kubectl.server}, which is the current one, and its settings name none: switch back to "
        "its own (kubectl config use-context …), or set cluster.context; or, if all that it made "
        f"is gone, forget it with: {stack.forgetting}; nothing was changed."
    )


def _is_in(target: Target, kubectl: Kubectl) -> bool | None:
    """Returns whether a cluster has something of a stack, and not just a namesake.

    None: there is nothing to tell it by.
    """
    known = [it for it in map(_identity, target.resources) if it][:_LOOKS]
    return any(_has(kubectl, *it) for it in known) if known else None


def _has(kubectl: Kubectl, kind: str, namespace: str, name: str, uid: str) -> bool:
    """Returns whether a cluster has an object, and not just a namesake of it."""
    at = ("--namespace", namespace) if namespace else ()
    item = kubectl.find(kind.lower(), name, *at)
    return item is not None and metadata(item).get("uid") == uid


def refuse_new_cluster(stack: Stack, cluster: str) -> None:
    """Refuses the same, before the other cluster is started or made.

    Args:
        stack: A stack whose settings choose another cluster than it was in.
        cluster: What they choose, in words.

    Raises:
        Failure: The stack has something in its former cluster.
    """
    if resources_in(stack.state()):
        raise Failure(
            f"Stack {stack.name} is deployed, but its settings choose another cluster by now, the "
            f"{cluster}, and moving it would remove it from where it is with its data: set "
            f"cluster.provider and cluster.name back, or remove it first (`{stack.make('down')}`), "
            "or deploy another stack file; nothing was changed."
        )


def _identity(resource: dict[str, Any]) -> tuple[str, str, str, str] | None:
    """Returns kind, namespace, name and UID of an object that every cluster has kinds of."""
    item = part(resource, "outputs")
    about = metadata(item)
    if item.get("kind") not in ("Namespace", "Service", "Deployment") or not about.get("uid"):
        return None
    return item["kind"], about.get("namespace") or "", about["name"], about["uid"]


def refuse_other(target: Target) -> None:
    """Looks at the namespace before anything is healed.

    `pulumi up --refresh` takes the state of what is there.

    A stack that has nothing yet is left to the program (`components/cluster/guard.py`), and a
    cluster that does not answer to `pulumi up`, which says it better.

    Raises:
        Failure: The namespace is another stack's, or was made anew by somebody.
    """
    if not target.resources or not is_installed(environment.complete(target.stack.name)):
        return
    try:
        kubectl = target.kubectl()
        namespace = kubectl.find("namespace", target.namespace)
    except KubectlError:
        return
    if namespace is None or target.made(namespace):
        return
    other = mark(namespace)
    declared = any(r["type"] == "kubernetes:core/v1:Namespace" for r in target.resources)
    if not other and (not declared or metadata(namespace).get("uid") in target.uids):
        return
    whose = f"it is stack {other}'s" if other else "somebody has made it anew"
    name = target.stack.name
    own = next((m for r in target.resources if (m := mark(r.get("outputs") or {}))), None)
    meant = kubectl.command("annotate", "namespace", target.namespace, f"{STACK_MARK}={own}")
    raise Failure(
        f"Namespace {target.namespace} at {kubectl.server} (context {kubectl.context}) is not the "
        f"one that stack {name} made: {whose}, so nothing in it was changed; if what stack {name} "
        f"made is gone, forget it with: {target.stack.forgetting}; "
        "then choose another namespace.name in its todo:settings, and run this again"
        + (
            f"; or, if it is meant for this stack, say so with: {meant}."
            if own and not other
            else "."
        )
    )


def refuse_taken(target: Target, kubectl: Kubectl) -> None:
    """Looks at the namespaces of a stack of the add-ons, and at what it has outside of them.

    Where the cluster was made anew, all of it may be somebody else's by now, and both `pulumi up
    --refresh` and `pulumi destroy` go by names.

    Raises:
        Failure: Something of it is another stack's, or was made anew by somebody.
        KubectlError: The cluster does not tell.
    """
    resources = [it for it in target.resources if it["type"].startswith("kubernetes:")]
    outputs = (part(it, "outputs") for it in resources if not it.get("delete"))
    items = [it for it in outputs if it.get("kind") and metadata(it).get("name")]
    namespaces = {metadata(it)["name"] for it in items if it["kind"] == "Namespace"}
    places: dict[str, dict[tuple[str, str], str]] = {}
    for it in items:
        where = metadata(it).get("namespace") or ""
        if where not in namespaces:
            group, _, version = str(it["apiVersion"]).rpartition("/")
            named = (it["kind"], metadata(it)["name"])
            places.setdefault(where, {})[named] = f"{it['kind']}.{version}.{group}"
    for where, objects in sorted(places.items()):
        at = ("--namespace", where) if where else ()
        for item in kubectl.listed(sorted(set(objects.values())), *at):
            named = (item["kind"], metadata(item)["name"])
            foreign = mark(item) or metadata(item).get("uid") not in target.uids
            if named in objects and foreign and not target.made(item):
                raise _taken(target, kubectl, item)


def _taken(target: Target, kubectl: Kubectl, item: Object) -> Failure:
    """Returns the refusal to touch an object that is somebody else's by now."""
    other, name, stack = mark(item), metadata(item)["name"], target.stack
    namespace = metadata(item).get("namespace")
    whose = f"it is stack {other}'s" if other else "somebody has made it anew"
    own = next((m for r in target.resources if (m := mark(r.get("outputs") or {}))), None)
    at = ("--namespace", namespace) if namespace else ()
    meant = kubectl.command("annotate", item["kind"].lower(), name, *at, f"{STACK_MARK}={own}")
    return Failure(
        f"{item['kind']} {f'{namespace}/' if namespace else ''}{name} at {kubectl.server} (context "
        f"{kubectl.context}) is not the one that the add-ons {stack.name} made: {whose}, so "
        "nothing was changed; if what they made is gone, forget them with: "
        f"{stack.forgetting}; then leave out of {stack.shown} the part that it belongs to, and run "
        f"`{stack.make('addons')}`"
        + (f"; or, if it is meant for them, say so with: {meant}." if own and not other else ".")
    )
