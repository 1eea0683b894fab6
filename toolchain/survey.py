"""Where a stack is, and what of it and of others is in its cluster.

Nothing is changed by looking.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from cluster_objects.json_tree import part, parts
from cluster_objects.stack_mark import STACK_MARK
from components.todo.names import INSTANCE
from console.duration import age, seconds_since
from distribution.cluster import node
from toolchain import environment, findings, invocation
from toolchain.kubectl import Kubectl, Object
from toolchain.makers import makers
from toolchain.project import ADDONS, APPLICATION, PROJECTS
from toolchain.providers.choice import remembered_by
from toolchain.providers.provider import Provider
from toolchain.stack import Stack
from toolchain.state import kubernetes_providers, outputs_in, resources_in

SYSTEM = {"default", "kube-system", "kube-public", "kube-node-lease"}
"""Namespaces that every cluster has (Kubernetes: Namespaces, "Initial namespaces")."""
CLUSTERS = "clusters.postgresql.cnpg.io"
"""The kind of the Clusters of an operator, whose pods and claims go with them."""
_KINDS = (
    "pods,persistentvolumeclaims,deployments.apps,replicasets.apps,statefulsets.apps,"
    "daemonsets.apps,jobs.batch,cronjobs.batch,services,configmaps,secrets"
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
    """As `made` compares them."""
    external: str | None
    """Address of a database that somebody else runs."""

    @property
    def embedded(self) -> bool:
        """Whether the stack is in this clone's embedded cluster."""
        return self.kubeconfig == str(node.kubeconfig())

    @property
    def again(self) -> str:
        """The command that removes the stack."""
        return f"`{self.stack.make(self.stack.project.down)}`"

    @property
    def uids(self) -> set[str]:
        """The objects' identities in the cluster: a namesake made later has another."""
        return {metadata(part(r, "outputs")).get("uid", "") for r in self.resources} - {""}

    def made(self, item: Object) -> bool:
        """Returns whether an object has the stack's mark."""
        return _told_apart(mark(item)) in self.marks

    def kubectl(self) -> Kubectl:
        """Returns `kubectl` on the stack's cluster."""
        return Kubectl(self.kubeconfig, self.context, environment.complete(self.stack.name))


@dataclass(frozen=True, kw_only=True)
class Found:
    """What is in the stack's namespace."""

    namespace: Object | None
    own: bool
    """Whether the stack made the namespace."""
    pods: list[str] = field(default_factory=list[str])
    claims: dict[str, str] = field(default_factory=dict[str, str])
    """Names and sizes."""
    workloads: list[str] = field(default_factory=list[str])
    strangers: list[str] = field(default_factory=list[str])
    """What is in the stack's own namespace, but was made by somebody else."""
    backup: str = "there is none"


def locate(stack: Stack, place: dict[str, Any], state: dict[str, Any] | None) -> Target:
    """Finds out where a stack is: where `pulumi destroy` would go, else where its settings lead to.

    Args:
        stack: The stack.
        place: Kubeconfig, context and namespace of its settings.
        state: What Pulumi has of it; None: it knows no such stack.
    """
    place = dict(place)
    outputs, resources = outputs_in(state), resources_in(state)
    providers = kubernetes_providers(state)
    if resources and providers:
        used = providers[-1]
        # One that is encrypted in the state is as the settings say.
        clear = {k: used.get(k) for k in ("kubeconfig", "context")}
        place = {**place, **{k: v for k, v in clear.items() if not isinstance(v, dict)}}
        place["namespace"] = outputs.get("namespace") or place["namespace"]
    namespaces = [r for r in resources if r["type"] == "kubernetes:core/v1:Namespace"]
    if namespaces:
        place["namespace"] = metadata(namespaces[-1]["outputs"])["name"]
    marked = {_told_apart(mark(part(r, "outputs"))) for r in resources} - {None}
    return Target(
        stack=stack,
        known=state is not None,
        resources=resources,
        kubeconfig=place["kubeconfig"],
        context=place["context"],
        namespace=str(place["namespace"]),
        marks=frozenset(str(it) for it in marked) | _own_mark(stack),
        external=outputs.get("databaseAddress") if not outputs.get("databaseClaim") else None,
    )


def _own_mark(stack: Stack) -> frozenset[str]:
    """Returns the mark of what an earlier `pulumi destroy` kept.

    Only with a salt or key is it this stack's alone.
    """
    document = stack.document()
    random = document.get("encryptionsalt") or document.get("encryptedkey")
    if not random:
        return frozenset()
    digest = hashlib.sha256(str(random).encode()).hexdigest()[:12]
    return frozenset({f"{stack.project.name}/{stack.name}/{digest}"})


def _told_apart(made_by: str | None) -> str | None:
    """Returns a mark; without the organization, a backend's, where a digest tells clones apart."""
    organization, _, rest = (made_by or "").partition("/")
    return rest if organization and rest.count("/") == 2 else made_by


def look(target: Target, kubectl: Kubectl) -> Found:
    """Looks at what is in the stack's namespace.

    Raises:
        KubectlError: The cluster does not tell.
    """
    namespace = kubectl.find("namespace", target.namespace)
    if namespace is None:
        return Found(namespace=None, own=False)
    own = (
        target.made(namespace) if mark(namespace) else metadata(namespace).get("uid") in target.uids
    )
    items = kubectl.items(_KINDS, "--namespace", target.namespace)
    mine = [it for it in items if _is_own(it, target, labelled=own)]
    others = [it for it in items if it not in mine and not _comes_by_itself(it)]
    if own:
        made = makers(
            [it for it in items if it not in mine], target.uids, kubectl, target.namespace
        )
        others += [it for it in made if not _is_own(it, target, labelled=own)]
    workloads = [it for it in mine if it["kind"] in ("Deployment", "StatefulSet", "CronJob")]
    return Found(
        namespace=namespace,
        own=own,
        pods=[
            metadata(it)["name"] for it in items if _runs_for(it, workloads) or _is_pod(it, mine)
        ],
        claims={metadata(it)["name"]: size(it) for it in mine if _is_claim(it)},
        workloads=[f"{it['kind']} {metadata(it)['name']}" for it in workloads],
        strangers=[f"{it['kind']} {metadata(it)['name']}" for it in others] if own else [],
        backup=_newest_backup(mine),
    )


def neighbours(target: Target, kubectl: Kubectl) -> list[str]:
    """Returns what else is in the stack's cluster.

    Namespaces of others, things in `default`, stacks of this clone.

    Raises:
        KubectlError: The cluster does not tell.
    """
    stacks = stacks_in(target.kubeconfig, node.CONTEXT)
    addons = {it.name for it in stacks if it.project is ADDONS}
    found = [
        f"namespace {name}"
        for it in kubectl.items("namespaces")
        if (name := metadata(it)["name"]) not in SYSTEM
        and name != target.namespace
        and not _is_of_addons(it, addons)
    ]
    items = kubectl.items(_KINDS, "--namespace", "default")
    found += [
        f"{it['kind']} {metadata(it)['name']} in namespace default"
        for it in (*items, *makers(items, (), kubectl, "default"))
        if not _comes_by_itself(it)
    ]
    found += [
        f"add-ons {name} (`{invocation.make('addons-down', name)}` removes them)"
        for name in sorted(addons)
    ]
    others = [it.name for it in stacks if it.project is APPLICATION]
    return found + [f"stack {name}" for name in others if name != target.stack.name]


def stacks_in(
    kubeconfig: str | None, context: str | None, cluster: tuple[Provider, str] | None = None
) -> list[Stack]:
    """Stacks of this clone with resources in a cluster, those of the add-ons among them.

    Args:
        kubeconfig: As `make up` has told the stacks; None: as kubectl finds it.
        context: The cluster's context.
        cluster: Its tool and name: a stack that `make up` put there is in it, whatever kubeconfig
            led it there, as Pulumi writes KUBECONFIG into the state.

    Raises:
        Failure: Pulumi cannot reach its backend.
    """
    found: list[Stack] = []
    for stack in (it for project in PROJECTS for it in Stack.all(project)):
        state = stack.state()
        # The add-ons are where the application's stack of the name is if `make addons` found it.
        led = cluster and stack.project.found_out(stack.name).exists()
        put = led and remembered_by(findings.remembered(stack.name)) == cluster
        if resources_in(state) and any(
            p.get("context") == context and (put or p.get("kubeconfig") == kubeconfig)
            for p in kubernetes_providers(state)
        ):
            found.append(stack)
    return found


def _is_of_addons(item: Object, stacks: Collection[str]) -> bool:
    """Returns whether one of these stacks of the add-ons has made an object."""
    made_by = (mark(item) or "").split("/")
    return any(made_by[1:3] == [ADDONS.name, stack] for stack in stacks)


def _is_own(item: Object, target: Target, *, labelled: bool) -> bool:
    """Returns whether the stack made an object; in its own namespace its labels tell, too."""
    about = metadata(item)
    if mark(item):
        return target.made(item)
    instance = part(about, "labels").get("app.kubernetes.io/instance")
    by_label = labelled and instance == INSTANCE
    return by_label or about.get("uid") in target.uids


def _comes_by_itself(item: Object) -> bool:
    """Returns whether Kubernetes makes it, or something made it that is looked for (`makers`)."""
    about = metadata(item)
    name = (item["kind"], about["name"])
    return bool(
        about.get("ownerReferences")
        or name == ("ConfigMap", "kube-root-ca.crt")
        or (*name, about.get("namespace")) == ("Service", "kubernetes", "default")
        or item.get("type") == "kubernetes.io/service-account-token"
        # What each namespace with a Cluster gets, without an owner.
        or name == ("ConfigMap", "cnpg-default-monitoring")
    )


def _runs_for(item: Object, workloads: list[Object]) -> bool:
    """Returns whether a workload has made a pod, by way of a ReplicaSet or Job."""
    owners = [ref["name"] for ref in parts(metadata(item), "ownerReferences")]
    names = [metadata(it)["name"] for it in workloads]
    return item["kind"] == "Pod" and any(f"{o}-".startswith(f"{n}-") for o in owners for n in names)


def _is_pod(item: Object, mine: list[Object]) -> bool:
    return item["kind"] == "Pod" and item in mine


def _newest_backup(mine: list[Object]) -> str:
    jobs = [it for it in mine if it["kind"] == "CronJob"]
    last = [t for it in jobs if (t := part(it, "status").get("lastSuccessfulTime"))]
    if last:
        return (
            f"the newest of the schedule is {age(seconds_since(max(last)))} old; all backups go too"
        )
    if jobs:
        return "none of the schedule has succeeded; any that were made by hand go too"
    if any("backup" in metadata(it)["name"] for it in mine if _is_claim(it)):
        return "no schedule; what is on the claim goes too"
    return "there is none"


def size(claim: Object) -> str:
    """Returns the size of a volume claim: what it has, else what it asks for."""
    capacity = part(claim, "status", "capacity")
    asked = part(claim, "spec", "resources", "requests")
    return str(capacity.get("storage") or asked.get("storage") or "size unknown")


def _is_claim(item: Object) -> bool:
    return item["kind"] == "PersistentVolumeClaim"


def metadata(item: Object) -> Object:
    """Returns an object's metadata."""
    return part(item, "metadata")


def mark(item: Object) -> str | None:
    """Returns the mark of the stack that made an object."""
    return part(metadata(item), "annotations").get(STACK_MARK)
