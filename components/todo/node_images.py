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
from components.todo.settings.images import (
    BuilderSettings,
    Images,
    LoadedImages,
    PrebuiltImages,
    RegistryImages,
)


def node_images(cluster: ClusterSettings, images: Images) -> NodeImages | None:
    """Returns how to ask the nodes of a local cluster; None where there is no way, or no need."""
    match images:
        case LoadedImages():
            return _loaded_images(cluster, images.builder)
        case RegistryImages() | PrebuiltImages():
            return None
        case _:
            assert_never(images)


def _loaded_images(cluster: ClusterSettings, builder: BuilderSettings) -> NodeImages | None:
    match builder.exporter:
        case "docker":
            return NodeImages(partial(in_daemon, builder.name))
        case "image-store" | "archive" as exporter:
            return _stored_images(cluster, builder.name, loads=exporter == "archive")
        case _:
            assert_never(builder.exporter)


def _stored_images(
    cluster: ClusterSettings, docker_context: str | None, *, loads: bool
) -> NodeImages | None:
    """Returns how to ask the nodes' own stores.

    Args:
        cluster: The cluster.
        docker_context: What has built the images, if it is one.
        loads: Whether the cluster's tool loads them into the nodes, or else the builder does.
    """
    match cluster.provider:
        case "embedded":
            return NodeImages(in_containerd)
        case "minikube" | "kind" | "k3d" as tool:
            name = cluster.name or CLUSTER_NAMES[tool]
            if not loads:
                # Its builder is no Docker context.
                return NodeImages(_store(tool, name, None))
            archive = ImageArchive(tool=tool, cluster=name, docker_context=docker_context)
            return NodeImages(_store(tool, name, docker_context), archive)
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
