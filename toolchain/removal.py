"""Removes a stack: shows first what goes and what stays, and touches nothing but the stack's own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from toolchain import environment, machine, ui
from toolchain.cluster import node
from toolchain.kubectl import Kubectl, Object, Silent
from toolchain.stack import Stack, resources_in

MARK = "todo-kubernetes/stack"
"""The annotation with which the program marks what it makes (``components/guard.py``)."""
INSTANCE = ("app.kubernetes.io/instance", "todo")
"""The label of all that the program and the operations make; the name of its TodoStack."""
SYSTEM = {"default", "kube-system", "kube-public", "kube-node-lease"}
"""Namespaces that every cluster has (Kubernetes: Namespaces, "Initial namespaces")."""
_KINDS = (
    "pods,persistentvolumeclaims,deployments.apps,statefulsets.apps,daemonsets.apps,jobs.batch,"
    "cronjobs.batch,services,configmaps,secrets"
)
"""Where a person's own things would be."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a stack is, and how its things are recognised."""

    stack: Stack
    known: bool
    """Whether Pulumi knows the stack."""
    resources: list[dict[str, Any]]
    kubeconfig: str | None
    context: str | None
    namespace: str
    marks: frozenset[str]
    external: str | None
    """Address of a database that somebody else runs."""

    @property
    def embedded(self) -> bool:
        """Whether the stack is in this clone's embedded cluster."""
        return self.kubeconfig == str(node.kubeconfig())

    @property
    def uids(self) -> set[str]:
        """The objects' identities in the cluster: a namesake made later has another."""
        return {_metadata(r.get("outputs") or {}).get("uid", "") for r in self.resources} - {""}

    def kubectl(self) -> Kubectl:
        """Return `kubectl` on the stack's cluster."""
        return Kubectl(self.kubeconfig, self.context, environment.complete(self.stack.name))


@dataclass(frozen=True, kw_only=True)
class Found:
    """What is in the stack's namespace."""

    namespace: Object | None
    own: bool
    """Whether the stack made the namespace."""
    pods: list[str]
    claims: dict[str, str]
    """Names and sizes."""
    workloads: list[str]
    strangers: list[str]
    """What is in the stack's own namespace, but was made by somebody else."""
    backup: str


def locate(stack: Stack, place: dict[str, Any]) -> Target:
    """Find out where a stack is: where `pulumi destroy` would go, else where its settings lead to.

    Args:
        stack: The stack.
        place: Kubeconfig, context and namespace of its settings.
    """
    state = stack.state()
    all_resources = ((state or {}).get("deployment") or {}).get("resources") or []
    outputs = next((r.get("outputs") or {} for r in all_resources if _is_stack(r)), {})
    resources = resources_in(state)
    providers = [r for r in all_resources if r["type"] == "pulumi:providers:kubernetes"]
    if resources and providers:
        used = providers[-1].get("inputs") or {}
        place = {**place, **{k: _text(used.get(k)) for k in ("kubeconfig", "context")}}
        place["namespace"] = outputs.get("namespace") or place["namespace"]
    namespaces = [r for r in resources if r["type"] == "kubernetes:core/v1:Namespace"]
    if namespaces:
        place["namespace"] = _metadata(namespaces[-1]["outputs"])["name"]
    marked = {_mark(r.get("outputs") or {}) for r in resources} - {None}
    return Target(
        stack=stack,
        known=state is not None,
        resources=resources,
        kubeconfig=place["kubeconfig"],
        context=place["context"],
        namespace=str(place["namespace"]),
        marks=frozenset(str(mark) for mark in marked) | _own_mark(stack),
        external=outputs.get("databaseAddress") if not outputs.get("databaseClaim") else None,
    )


def _own_mark(stack: Stack) -> frozenset[str]:
    """The mark of what an earlier `pulumi destroy` kept; only with a salt or key is it this stack's alone."""
    document = stack.document()
    random = document.get("encryptionsalt") or document.get("encryptedkey")
    if not random or not environment.uses_own_state(stack.name):
        return frozenset()
    digest = hashlib.sha256(str(random).encode()).hexdigest()[:12]
    return frozenset({f"organization/{stack.project}/{stack.name}/{digest}"})


def look(target: Target, kubectl: Kubectl) -> Found:
    """Look at what is in the stack's namespace.

    Raises:
        Silent: The cluster does not tell.
    """
    namespace = kubectl.find("namespace", target.namespace)
    if namespace is None:
        return Found(
            namespace=None,
            own=False,
            pods=[],
            claims={},
            workloads=[],
            strangers=[],
            backup="there is none",
        )
    mark = _mark(namespace)
    own = mark in target.marks if mark else _metadata(namespace).get("uid") in target.uids
    items = kubectl.items(_KINDS, "--namespace", target.namespace)
    mine = [it for it in items if _is_own(it, target, labelled=own)]
    others = [it for it in items if it not in mine and not _comes_by_itself(it)]
    return Found(
        namespace=namespace,
        own=own,
        pods=[_metadata(it)["name"] for it in mine if it["kind"] == "Pod"],
        claims={_metadata(it)["name"]: _size(it) for it in mine if _is_claim(it)},
        workloads=[
            f"{it['kind']} {_metadata(it)['name']}"
            for it in mine
            if it["kind"] in ("Deployment", "StatefulSet", "CronJob")
        ],
        strangers=[f"{it['kind']} {_metadata(it)['name']}" for it in others] if own else [],
        backup=_newest_backup(mine),
    )


def neighbours(target: Target, kubectl: Kubectl) -> list[str]:
    """What else is in the stack's cluster: namespaces of others, things in ``default``, stacks of this clone.

    Raises:
        Silent: The cluster does not tell.
    """
    names = [_metadata(it)["name"] for it in kubectl.items("namespaces")]
    found = [f"namespace {n}" for n in names if n not in SYSTEM and n != target.namespace]
    items = kubectl.items(_KINDS, "--namespace", "default")
    found += [
        f"{it['kind']} {_metadata(it)['name']} in namespace default"
        for it in items
        if not _comes_by_itself(it)
    ]
    return found + [f"stack {s.name}" for s in embedded_stacks() if s.name != target.stack.name]


def embedded_stacks() -> list[Stack]:
    """Stacks of this clone with resources in its embedded cluster.

    Raises:
        Failure: Pulumi cannot reach its backend.
    """
    found: list[Stack] = []
    for stack in Stack.all():
        state = stack.state()
        providers = [
            r.get("inputs") or {}
            for r in ((state or {}).get("deployment") or {}).get("resources") or []
            if r["type"] == "pulumi:providers:kubernetes"
        ]
        if resources_in(state) and any(
            p.get("kubeconfig") == str(node.kubeconfig()) for p in providers
        ):
            found.append(stack)
    return found


def down(stack: Stack, place: dict[str, Any], *, yes: bool) -> None:
    """Show what a stack has, ask, and remove it with its data.

    Args:
        stack: The stack.
        place: Kubeconfig, context and namespace of its settings.
        yes: Do not ask.

    Raises:
        Failure: Something is in the way, or did not go; says what, and how to go on.
    """
    target = locate(stack, place)
    _refuse_protected(target)
    if target.embedded and not node.exists():
        _forget_lost(target, yes=yes)
        return
    try:
        kubectl = target.kubectl()
        found = look(target, kubectl)
        _refuse_other(target, found, kubectl)
        others = neighbours(target, kubectl) if target.embedded else []
    except Silent as silent:
        raise _unreachable(target, str(silent)) from None
    _show(target, found, kubectl, others)
    if not (target.known or found.own or found.claims or target.embedded):
        ui.say(f"Stack {stack.name} has nothing to remove.")
        return
    ui.confirm("Remove this for good?", yes)
    if target.resources:
        with ui.step("pulumi destroy"):
            if target.kubectl().context != kubectl.context:
                raise ui.Failure(
                    "The kubeconfig's current context has changed meanwhile; nothing was changed."
                )
            stack.destroy()
    stays = _remove_rest(target, kubectl)
    if stays:
        ui.say(f"Stack {stack.name} is removed, except: {stays}.")
        return
    _forget(target)
    where = f"context {kubectl.context}"
    ui.say(f"Stack {stack.name} is removed from {where}; `make up` starts anew.")


def cluster_down(*, yes: bool) -> None:
    """Show what is in this clone's embedded cluster, ask, and remove it with everything in it.

    Raises:
        Failure: It did not go, or a stack that was in it could not be forgotten.
    """
    if not node.exists() and not node.running():
        ui.say("This clone has no embedded cluster; nothing was changed.")
        return
    stacks = embedded_stacks()
    ui.say(f"This removes the embedded cluster ({node.kubeconfig().parent.parent}):")
    _line("stacks", ", ".join(stack.name for stack in stacks) or "none of this clone")
    try:
        kubectl = Kubectl(str(node.kubeconfig()), node.CONTEXT, environment.complete("minikube"))
        names = [_metadata(it)["name"] for it in kubectl.items("namespaces")]
        claims = kubectl.items("persistentvolumeclaims", "--all-namespaces")
    except Silent:
        _line("volumes", "all; the cluster does not run, so they cannot be listed")
    else:
        _line("namespaces", ", ".join(n for n in names if n not in SYSTEM) or "none")
        listed = [
            f"{_metadata(c)['namespace']}/{_metadata(c)['name']} ({_size(c)})" for c in claims
        ]
        _line("claims", ", ".join(listed) or "none")
    ui.confirm("Remove this for good?", yes)
    machine.delete()
    for stack in stacks:
        _say_own_secrets(stack, stack.forget(force=True))
    ui.say("The cluster and everything it wrote on this machine are removed.")


def _refuse_protected(target: Target) -> None:
    protected = [r["urn"].rsplit("::", 1)[-1] for r in target.resources if r.get("protect")]
    if protected:
        name = target.stack.name
        raise ui.Failure(
            f"Stack {name} protects its data ({', '.join(protected)}; todo:settings.environment is production): to "
            f'remove it all the same, run: eval "$(make env STACK={name})"; pulumi state unprotect --all --yes --stack '
            f"{name}; then `make down` again; nothing was changed."
        )


def _refuse_other(target: Target, found: Found, kubectl: Kubectl) -> None:
    """`pulumi destroy` goes by names, so it must not meet another's namespace of that name."""
    made = any(r["type"] == "kubernetes:core/v1:Namespace" for r in target.resources)
    if made and found.namespace is not None and not found.own:
        mark = _mark(found.namespace)
        whose = f"it is stack {mark}'s" if mark else "it was made anew by something else"
        raise ui.Failure(
            f"Namespace {target.namespace} at {kubectl.server} (context {kubectl.context}) is not the one that stack "
            f"{target.stack.name} made: {whose}; if the stack's own is in another cluster, make that one's context "
            f"reachable and run `make down` again; {_forgetting(target)}; nothing was changed."
        )
    if found.workloads and not found.own and not target.resources:
        raise ui.Failure(
            f"Pulumi does not know stack {target.stack.name} any more, but {_some(found.workloads)} of it still run in "
            f"namespace {target.namespace}, which is not its own: put the state (.local/pulumi) back, or delete them "
            f"with: {kubectl.command('delete', '--namespace', target.namespace, 'all', '--selector', '='.join(INSTANCE))}; "
            "nothing was changed."
        )


def _unreachable(target: Target, reason: str) -> ui.Failure:
    """A stack is never forgotten while its things may still exist."""
    name = target.stack.name
    has = "what it has there" if target.resources else "what an earlier `pulumi destroy` kept there"
    if target.embedded and not node.running():
        how = (
            "run `make cluster-start`, then `make down` again; or `make cluster-down`, which removes the whole "
            "embedded cluster"
        )
    else:
        how = "start it, or correct its kubeconfig, and run `make down` again"
        how += f"; {_forgetting(target)}" if target.known else "; if it is gone, all of it is"
    return ui.Failure(
        f"The cluster of stack {name} (context {target.context or '(current)'}) does not answer ({reason.rstrip('.')}), so "
        f"{has} may still exist: {how}; nothing was changed."
    )


def _forgetting(target: Target) -> str:
    name = target.stack.name
    return (
        f'if the cluster is gone for good, forget the stack with: eval "$(make env STACK={name})"; pulumi stack rm '
        f"{name} --force --preserve-config"
    )


def _show(target: Target, found: Found, kubectl: Kubectl, others: list[str]) -> None:
    ui.say(f"This removes stack {target.stack.name}:")
    _line("cluster", f"{kubectl.context} at {kubectl.server}")
    going = found.own and not found.strangers
    end = ", with all that is in it" if going else ": there is none"
    _line("namespace", target.namespace + (end if going or found.namespace is None else ""))
    _line("objects", f"{len(target.resources)} that Pulumi made" if target.resources else "none")
    _line("pods", ", ".join(found.pods) or "none")
    _line("claims", ", ".join(f"{n} ({size})" for n, size in found.claims.items()) or "none")
    _line("backups", found.backup)
    if found.namespace is not None and not going:
        why = f"it has {_some(found.strangers)}" if found.own else "this stack did not make it"
        _line("stays", f"namespace {target.namespace}: {why}")
    if target.external:
        _line("stays", f"the database {target.external}, which is outside the cluster")
    if target.embedded and not others and (going or found.namespace is None):
        _line("cluster", "the embedded cluster goes too, since nothing else is in it")
    else:
        _line("stays", f"the cluster{': ' + _some(others) + ' is in it' if others else ''}")


def _remove_rest(target: Target, kubectl: Kubectl) -> str:
    """Remove what `pulumi destroy` keeps, as it is by now; returns what stays of the stack's own."""
    try:
        found = look(target, kubectl)
        if found.own and found.strangers:
            _remove_claims(found, target, kubectl)
            command = kubectl.command("delete", "namespace", target.namespace)
            return (
                f"namespace {target.namespace}, which has {_some(found.strangers)} that this stack did not make (all "
                f"of it goes with: {command})"
            )
        if found.own:
            with ui.step(f"Namespace {target.namespace}"):
                kubectl("delete", "namespace", target.namespace, "--timeout=300s", seconds=330)
        else:
            _remove_claims(found, target, kubectl)
        alone = target.embedded and not found.strangers and not neighbours(target, kubectl)
    except Silent as silent:
        raise ui.Failure(
            f"Not everything is removed: {str(silent).rstrip('.')}; mend that and run `make down` again."
        ) from None
    if alone and (found.own or found.namespace is None):
        with ui.step("Embedded cluster"):
            machine.delete()
    return ""


def _remove_claims(found: Found, target: Target, kubectl: Kubectl) -> None:
    if found.claims:
        with ui.step("Volume claims"):
            where = ("--namespace", target.namespace, "--timeout=120s")
            kubectl("delete", "persistentvolumeclaim", *found.claims, *where, seconds=150)


def _forget_lost(target: Target, *, yes: bool) -> None:
    """The embedded cluster's folder is gone, and with it every volume: nothing of the stack can exist."""
    ui.say(
        f"The embedded cluster that stack {target.stack.name} was in is gone, with all its volumes."
    )
    ui.confirm("Forget the stack?", yes)
    machine.delete()
    _forget(target, force=True)
    ui.say(f"Stack {target.stack.name} is forgotten; `make up` starts anew.")


def _forget(target: Target, *, force: bool = False) -> None:
    if target.known:
        _say_own_secrets(target.stack, target.stack.forget(force=force))


def _say_own_secrets(stack: Stack, own: list[str]) -> None:
    if own:
        ui.say(
            f"  {', '.join(own)} stays encrypted in {stack.file.name}: keep the passphrase (.local/passphrase, or your "
            "own) for as long as you need it"
        )


def _line(title: str, text: str) -> None:
    ui.say(f"  {title:<10} {text}")


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _is_own(item: Object, target: Target, *, labelled: bool) -> bool:
    """Whether the stack made an object; in its own namespace its labels tell, too."""
    metadata = _metadata(item)
    mark = _mark(item)
    if mark:
        return mark in target.marks
    label, value = INSTANCE
    by_label = labelled and (metadata.get("labels") or {}).get(label) == value
    return by_label or metadata.get("uid") in target.uids


def _comes_by_itself(item: Object) -> bool:
    """What Kubernetes makes, or something that is in the list itself."""
    metadata = _metadata(item)
    name = (item["kind"], metadata["name"])
    return bool(
        metadata.get("ownerReferences")
        or name == ("ConfigMap", "kube-root-ca.crt")
        or (*name, metadata.get("namespace")) == ("Service", "kubernetes", "default")
        or item.get("type") == "kubernetes.io/service-account-token"
    )


def _newest_backup(mine: list[Object]) -> str:
    jobs = [it for it in mine if it["kind"] == "CronJob"]
    last = [t for it in jobs if (t := (it.get("status") or {}).get("lastSuccessfulTime"))]
    if last:
        return f"the newest of the schedule is {_age(max(last))} old; all backups go too"
    if jobs:
        return "none of the schedule has succeeded; any that were made by hand go too"
    if any("backup" in _metadata(it)["name"] for it in mine if _is_claim(it)):
        return "no schedule; what is on the claim goes too"
    return "there is none"


def _age(stamp: str) -> str:
    then = datetime.fromisoformat(stamp.replace("Z", "+00:00"))
    minutes = int((datetime.now(UTC) - then).total_seconds()) // 60
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"


def _size(claim: Object) -> str:
    capacity = (claim.get("status") or {}).get("capacity") or {}
    asked = ((claim.get("spec") or {}).get("resources") or {}).get("requests") or {}
    return str(capacity.get("storage") or asked.get("storage") or "size unknown")


def _is_claim(item: Object) -> bool:
    return item["kind"] == "PersistentVolumeClaim"


def _is_stack(resource: dict[str, Any]) -> bool:
    return resource["type"] == "pulumi:pulumi:Stack"


def _metadata(item: Object) -> Object:
    return item.get("metadata") or {}


def _mark(item: Object) -> str | None:
    return (_metadata(item).get("annotations") or {}).get(MARK)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
