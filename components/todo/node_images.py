"""How the nodes of a stack's local cluster are asked for images, and get them."""

from functools import partial
from typing import assert_never

from components.image.archive import ImageArchive, Tool
from components.image.node_images import NodeImages
from components.image.node_stores import (
    Store,
    in_containerd,
    in_containers,
    in_daemon,
    in_minikube,
    k3d_nodes,
    kind_nodes,
)
from components.todo.names import CLUSTER_NAMES
from components.todo.settings.cluster import ClusterSettings
from components.todo.settings.images import Images


def node_images(cluster: ClusterSettings, images: Images) -> NodeImages | None:
    """Returns how to ask the nodes of a local cluster; None where there is no way, or no need."""
    if images.mode != "load":
        return None
    builder = images.builder
    if builder.exporter == "docker":
        return NodeImages(partial(in_daemon, builder.name))
    match cluster.provider:
        case "embedded":
            return NodeImages(in_containerd)
        case "minikube" | "kind" | "k3d" as tool:
            name = cluster.name or CLUSTER_NAMES[tool]
            if builder.exporter != "archive":
                # Its builder is no Docker context.
                return NodeImages(_store(tool, name, None))
            archive = ImageArchive(tool=tool, cluster=name, docker_context=builder.name)
            return NodeImages(_store(tool, name, builder.name), archive)
        case "auto" | "dockerDesktop" | "context":
            return None
        case _:
            assert_never(cluster.provider)


def _store(tool: Tool, name: str, context: str | None) -> Store:
    match tool:
        case "minikube":
            return partial(in_minikube, name, context)
        case "kind":
            return partial(in_containers, kind_nodes(name), context)
        case "k3d":
            return partial(in_containers, k3d_nodes(name), context)
        case _:
            assert_never(tool)
