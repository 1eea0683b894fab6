"""Removes a stack: shows first what goes and what stays, and touches only the stack's own."""

from __future__ import annotations

from typing import Any

from cluster_objects.json_tree import part
from console.confirm import confirm
from console.failure import Failure
from distribution.cluster import node
from toolchain import environment, machine, paths, plugins, tools, ui, volumes
from toolchain.kubectl import Kubectl, KubectlError, Object
from toolchain.ownership import refuse_elsewhere
from toolchain.project import ADDONS, APPLICATION
from toolchain.providers.choice import called
from toolchain.stack import Stack
from toolchain.survey import (
    CLUSTERS,
    SYSTEM,
    Found,
    Target,
    locate,
    look,
    mark,
    metadata,
    neighbours,
    size,
    stacks_in,
)


def down(stack: Stack, place: dict[str, Any], *, yes: bool) -> None:
    """Shows what a stack has, asks, and removes it with its data.

    Args:
        stack: The stack.
        place: Kubeconfig, context and namespace of its settings.
        yes: Do not ask.

    Raises:
        Failure: Something is in the way, or did not go; says what, and how to go on.
    """
    state = stack.state()
    target = locate(stack, place, state)
    _refuse_protected(target)
    if target.embedded and not node.exists():
        _forget_lost(target, yes=yes)
        return
    if tools.runs_built():
        plugins.check_removal(stack.name, state, stack.make("up"))
    try:
        kubectl = target.kubectl()
        found = look(target, kubectl)
        refuse_elsewhere(target, kubectl)
        _refuse_other(target, found, kubectl)
        others = neighbours(target, kubectl) if target.embedded else []
    except KubectlError as error:
        raise _unreachable(target, str(error)) from None
    _show(target, found, kubectl, others)
    if not (target.known or found.own or found.claims or target.embedded):
        ui.say(f"Stack {stack.name} has nothing to remove.")
        return
    confirm("Remove this for good?", assume_yes=yes, flag="YES=1")
    behind = volumes.noted(target, found, kubectl)
    if target.resources:
        with ui.step("pulumi destroy"):
            if target.kubectl().context != kubectl.context:
                raise Failure(
                    "The kubeconfig's current context has changed meanwhile; nothing was changed."
                )
            stack.destroy()
    stays = _remove_rest(target, kubectl, behind)
    if stays:
        ui.say(f"Stack {stack.name} is removed, except: {stays}.")
        return
    _forget(target)
    where = f"context {kubectl.context}"
    ui.say(f"Stack {stack.name} is removed from {where}; `{stack.make('up')}` starts anew.")


def cluster_down(stack: Stack, *, yes: bool) -> None:
    """Shows what is in the stack's local cluster, asks, and removes it with everything in it.

    Args:
        stack: The stack; where it leaves open which and is in none, what `make up` has made is
            meant.
        yes: Do not ask.

    Raises:
        Failure: The stack is in none of this machine's, `make up` did not make it, its tool cannot
            tell whether it is there, it did not go, or a stack that was in it could not be
            forgotten.
    """
    tool, name = machine.where(stack)
    cluster = called(tool, name)
    if not machine.made_here(tool, name):
        raise Failure(
            f"The {cluster} was not made by `make up`, so it is not removed here: remove it with "
            "the tool that made it; nothing was changed."
        )
    if not machine.exists(tool, name) and not paths.CLUSTER.exists():
        ui.say(f"There is no {cluster} here; nothing was changed.")
        return
    found = part(environment.found_out(stack.name), "cluster")
    kubeconfig, context = found.get("kubeconfig"), found.get("context")
    if tool.key == "embedded":
        kubeconfig, context = str(node.kubeconfig()), node.CONTEXT
    stacks = stacks_in(kubeconfig, context, (tool, name))
    ui.say(f"This removes the {cluster}{f' ({paths.CLUSTER})' if tool.key == 'embedded' else ''}:")
    applications = [it.name for it in stacks if it.project is APPLICATION]
    addons = [it.name for it in stacks if it.project is ADDONS]
    ui.line("stacks", ", ".join(applications) or "none of this clone")
    if addons:
        ui.line("add-ons", ", ".join(addons))
    try:
        kubectl = Kubectl(kubeconfig, context, environment.complete(stack.name))
        names = [metadata(it)["name"] for it in kubectl.items("namespaces")]
        claims = kubectl.items("persistentvolumeclaims", "--all-namespaces")
    except KubectlError:
        ui.line("volumes", "all; the cluster does not run, so they cannot be listed")
    else:
        ui.line("namespaces", ", ".join(n for n in names if n not in SYSTEM) or "none")
        listed = [f"{metadata(c)['namespace']}/{metadata(c)['name']} ({size(c)})" for c in claims]
        ui.line("claims", ", ".join(listed) or "none")
    # A cluster that is gone with a stack that nobody can forget would be neither here nor there.
    for other in stacks:
        other.require_unlocked()
    confirm("Remove this for good?", assume_yes=yes, flag="YES=1")
    machine.remove(tool, name)
    for other in stacks:
        _say_own_secrets(other, other.forget(force=True))
    ui.say("The cluster and everything in it are removed.")


def _refuse_protected(target: Target) -> None:
    protected = [r["urn"].rsplit("::", 1)[-1] for r in target.resources if r.get("protect")]
    if protected:
        name = target.stack.name
        raise Failure(
            f"Stack {name} protects its data ({', '.join(protected)}), as environment: production "
            "asks for: to remove it all the same, run: "
            f'eval "$(make env STACK={name})"; '
            f"pulumi state unprotect --all --yes --stack {name}; then {target.again}; nothing was "
            "changed."
        )


def _refuse_other(target: Target, found: Found, kubectl: Kubectl) -> None:
    """`pulumi destroy` goes by names, so it must not meet another's namespace of that name."""
    made = any(r["type"] == "kubernetes:core/v1:Namespace" for r in target.resources)
    if made and found.namespace is not None and not found.own:
        other = mark(found.namespace)
        whose = f"it is stack {other}'s" if other else "it was made anew by something else"
        raise Failure(
            f"Namespace {target.namespace} at {kubectl.server} (context {kubectl.context}) is not "
            f"the one that stack {target.stack.name} made: {whose}; if the stack's own is in "
            f"another cluster, make that one's context reachable and run {target.again}; "
            f"{_forgetting(target)}; nothing was changed."
        )
    if found.workloads and not found.own and not target.resources:
        raise Failure(
            f"Pulumi does not know stack {target.stack.name} any more, but "
            f"{some(found.workloads)} of it still run in namespace {target.namespace}, which is "
            "not its own: put the state (.local/pulumi) back, or delete them by hand, then run "
            f"{target.again}; nothing was changed."
        )


def _unreachable(target: Target, reason: str) -> Failure:
    """Returns the refusal to forget a stack while its things may still exist."""
    name = target.stack.name
    has = "what it has there" if target.resources else "what an earlier `pulumi destroy` kept there"
    if target.embedded and not node.running():
        how = (
            f"run `{target.stack.make('cluster-start')}`, then {target.again}; or "
            f"`{target.stack.make('cluster-down')}`, which removes the whole embedded cluster"
        )
    elif cluster := _local(target):
        start = target.stack.make("cluster-start")
        how = f"run `{start}`, which starts {cluster} or leads to it again, then {target.again}"
    else:
        how = f"start it, or correct its kubeconfig, and run {target.again}"
        how += f"; {_forgetting(target)}" if target.known else "; if it is gone, all of it is"
    return Failure(
        f"The cluster of stack {name} (context {target.context or '(current)'}) does not answer "
        f"({reason.rstrip('.')}), so {has} may still exist: {how}; nothing was changed."
    )


def _local(target: Target) -> str | None:
    """Returns what a stack's cluster is called, where it is a tool's own, running or stopped."""
    found = part(environment.found_out(target.stack.name), "cluster")
    if "provider" not in found or found.get("context") != target.context:
        return None
    tool, name = machine.where(target.stack)
    there = any(it.name == name for it in tool.clusters())
    return called(tool, name) if there else None


def _forgetting(target: Target) -> str:
    return f"if the cluster is gone for good, forget the stack with: {target.stack.forgetting}"


def _show(target: Target, found: Found, kubectl: Kubectl, others: list[str]) -> None:
    ui.say(f"This removes stack {target.stack.name}:")
    ui.line("cluster", f"{kubectl.context} at {kubectl.server}")
    going = found.own and not found.strangers
    end = ", with all that is in it" if going else ": there is none"
    ui.line("namespace", target.namespace + (end if going or found.namespace is None else ""))
    ui.line(
        "resources", f"{len(target.resources)} that Pulumi made" if target.resources else "none"
    )
    ui.line("pods", ", ".join(found.pods) or "none")
    ui.line("claims", ", ".join(f"{n} ({big})" for n, big in found.claims.items()) or "none")
    ui.line("backups", found.backup)
    if found.namespace is not None and not going:
        why = f"it has {some(found.strangers)}" if found.own else "this stack did not make it"
        ui.line("stays", f"namespace {target.namespace}: {why}")
    if target.external:
        ui.line("stays", f"the database {target.external}, which is outside the cluster")
    if target.embedded and not others and (going or found.namespace is None):
        ui.line("cluster", "the embedded cluster goes too, since nothing else is in it")
    else:
        ui.line("stays", f"the cluster{': ' + some(others) + ' is in it' if others else ''}")


def _remove_rest(target: Target, kubectl: Kubectl, behind: list[Object]) -> str:
    """Removes what `pulumi destroy` keeps, as it is by now, with the claims' volumes.

    Returns what stays of the stack's own.
    """
    try:
        found = look(target, kubectl)
        stays = remove_namespace(target, found, kubectl)
        if stays:
            volumes.remove(behind, kubectl)
            return stays[0]
        alone = target.embedded and not found.strangers and not neighbours(target, kubectl)
        if not alone:
            volumes.remove(behind, kubectl)
    except KubectlError as error:
        raise Failure(
            f"Not everything is removed: {str(error).rstrip('.')}; fix that and run {target.again}."
        ) from None
    if alone and (found.own or found.namespace is None):
        with ui.step("Embedded cluster"):
            machine.delete()
    return ""


def remove_namespace(target: Target, found: Found, kubectl: Kubectl) -> list[str]:
    """Removes a stack's namespace, or its claims alone where somebody else has something there.

    Returns:
        The namespace in words, where it stays though the stack made it.

    Raises:
        KubectlError: Something did not go.
    """
    if not found.own or found.strangers:
        _remove_claims(found, target, kubectl)
    else:
        with ui.step(f"Namespace {target.namespace}"):
            kubectl("delete", "namespace", target.namespace, "--timeout=300s", seconds=330)
    if not found.strangers:
        return []
    command = kubectl.command("delete", "namespace", target.namespace)
    return [
        f"namespace {target.namespace}, which has {some(found.strangers)} that this stack did not "
        f"make (all of it goes with: {command})"
    ]


def _remove_claims(found: Found, target: Target, kubectl: Kubectl) -> None:
    _remove_clusters(target, kubectl)
    if found.claims:
        with ui.step("Volume claims"):
            where = ("--ignore-not-found", "--namespace", target.namespace, "--timeout=120s")
            kubectl("delete", "persistentvolumeclaim", *found.claims, *where, seconds=150)


def _remove_clusters(target: Target, kubectl: Kubectl) -> None:
    """Removes the stack's Clusters, whose operator would go on using the claims."""
    where = ("--namespace", target.namespace)
    own = [it for it in kubectl.listed([CLUSTERS], *where) if target.made(it)]
    if own:
        with ui.step("Database cluster"):
            names = [metadata(it)["name"] for it in own]
            kubectl("delete", CLUSTERS, *names, *where, "--timeout=120s", seconds=150)


def _forget_lost(target: Target, *, yes: bool) -> None:
    """The embedded cluster's folder is gone, and with it every volume.

    Nothing of the stack can exist.
    """
    ui.say(
        f"The embedded cluster that stack {target.stack.name} was in is gone, with all its volumes."
    )
    lost = [it for it in stacks_in(target.kubeconfig, node.CONTEXT) if it.project is ADDONS]
    if lost:
        ui.say(f"  its add-ons ({', '.join(it.name for it in lost)}) are gone, too")
    confirm("Forget the stack?", assume_yes=yes, flag="YES=1")
    machine.delete()
    _forget(target, force=True)
    for it in lost:
        it.forget(force=True)
    stack = target.stack
    ui.say(f"Stack {stack.name} is forgotten; `{stack.make('up')}` starts anew.")


def _forget(target: Target, *, force: bool = False) -> None:
    if target.known:
        _say_own_secrets(target.stack, target.stack.forget(force=force))
    else:
        target.stack.forget_cluster()


def _say_own_secrets(stack: Stack, own: list[str]) -> None:
    if own:
        ui.say(
            f"  {', '.join(own)} stays encrypted in {stack.file.name}: keep the passphrase "
            "(.local/passphrase, or your own) for as long as you need it"
        )


def some(names: list[str]) -> str:
    """Returns names in words, the first of them where they are many."""
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
