"""Which images the nodes of a local cluster have, asked where each kind of node keeps them.

A store answers with the references of its images. None: it does not answer, so nothing is known.
"""

import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, cast

from .local_commands import answer_of, docker

Store = Callable[[], frozenset[str] | None]
_CRICTL = ("crictl", "images", "--output", "json")


@dataclass(frozen=True, kw_only=True)
class NodeContainers:
    """How to find the containers that are the nodes of a cluster."""

    label: str
    """A label that they all have, alone or with its value."""
    role: str | None = None
    """The label that says what a container is for; none: all are nodes."""
    node_roles: Collection[str] = ()
    names: str = ".+"
    """A regular expression of the nodes' names."""


def kind_nodes(name: str) -> NodeContainers:
    """Returns the nodes of a kind cluster, without the load balancer that several servers have.

    The labels are those of kind's pkg/cluster/internal/providers/docker/constants.go.
    """
    return NodeContainers(
        label=f"io.x-k8s.kind.cluster={name}",
        role="io.x-k8s.kind.role",
        node_roles=("control-plane", "worker"),
    )


def k3d_nodes(name: str) -> NodeContainers:
    """Returns the nodes of a k3d cluster, without its load balancer, registries and tools.

    The labels are those of k3d's pkg/types/types.go.
    """
    return NodeContainers(
        label=f"k3d.cluster={name}", role="k3d.role", node_roles=("server", "agent")
    )


def minikube_nodes(name: str) -> NodeContainers:
    """Returns the nodes of a Minikube profile whose driver is Docker.

    Each has its own name as the label's value: that of the profile, with -m02 and so on from the
    second node on (Minikube's pkg/drivers/kic/kic.go and pkg/minikube/config/config.go).
    """
    return NodeContainers(
        label="name.minikube.sigs.k8s.io", names=rf"{re.escape(name)}(-m[0-9]{{2,}})?"
    )


def in_daemon(context: str | None) -> frozenset[str] | None:
    """Asks a Docker daemon that is the only node's own."""
    form = "{{.Repository}}:{{.Tag}}"
    listing = answer_of(docker(context, "image", "ls", "--format", form))
    return None if listing is None else frozenset(listing.split())


def in_containerd() -> frozenset[str] | None:
    """Asks the only node's own containerd, which CONTAINERD_ADDRESS names.

    Without that variable there may be another containerd in the usual place, Docker's, say.
    """
    if not os.environ.get("CONTAINERD_ADDRESS"):
        return None
    listing = answer_of(["ctr", "--namespace", "k8s.io", "images", "ls", "-q"])
    return None if listing is None else frozenset(listing.split())


def in_containers(nodes: NodeContainers, context: str | None) -> frozenset[str] | None:
    """Asks every running node that is a container, and returns what all of them have."""
    return _in(_running(nodes, context), context)


def in_minikube(name: str, context: str | None) -> frozenset[str] | None:
    """Asks every node of a Minikube profile, containers or virtual machines."""
    nodes = minikube_nodes(name)
    containers = _running(nodes, context)
    return _in(containers, context) if containers else _in_machines(name)


def _in(containers: Sequence[str], context: str | None) -> frozenset[str] | None:
    return _on_all([docker(context, "exec", name, *_CRICTL) for name in containers])


def _running(nodes: NodeContainers, context: str | None) -> list[str]:
    form = "{{.Names}}" + (f' {{{{.Label "{nodes.role}"}}}}' if nodes.role else "")
    listing = answer_of(docker(context, "ps", "--filter", f"label={nodes.label}", "--format", form))
    lines = [line.split() for line in (listing or "").splitlines() if line.strip()]
    return [
        name
        for name, *role in lines
        if re.fullmatch(nodes.names, name) and (nodes.role is None or {*role} & {*nodes.node_roles})
    ]


def _in_machines(name: str) -> frozenset[str] | None:
    profile = ["--profile", name]
    listing = answer_of(["minikube", "node", "list", *profile]) or ""
    # A line is a node's name and its address (Minikube's cmd/minikube/cmd/node_list.go).
    nodes = [line.split()[0] for line in listing.splitlines() if line.strip()]
    return _on_all(
        [["minikube", "ssh", *profile, "--node", node, "--", "sudo", *_CRICTL] for node in nodes]
    )


def _on_all(commands: Sequence[Sequence[str]]) -> frozenset[str] | None:
    """Returns the images that all nodes have; None as soon as one does not answer."""
    if not commands:
        return None
    with ThreadPoolExecutor(max_workers=len(commands)) as pool:
        answers = [_references(text) for text in pool.map(answer_of, commands)]
    known = [answer for answer in answers if answer is not None]
    return known[0].intersection(*known) if len(known) == len(answers) else None


def _references(text: str | None) -> frozenset[str] | None:
    try:
        images: Any = json.loads(text or "")["images"]
        tags: Iterable[list[str] | None] = [it.get("repoTags") for it in images]
        return frozenset(tag for some in tags for tag in cast("list[str]", some or []))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
