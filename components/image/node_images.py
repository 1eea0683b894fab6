"""The images that no registry has: whether every node has them, and how they get there."""

import secrets
from collections.abc import Mapping
from functools import cached_property, partial
from typing import assert_never

import pulumi

from ..todo.settings.images import Images
from ..todo.settings.settings import ClusterSettings
from .archive import ImageArchive, Tool
from .node_stores import (
    Store,
    in_containerd,
    in_containers,
    in_daemon,
    in_minikube,
    k3d_nodes,
    kind_nodes,
)

_USUAL: Mapping[Tool, str] = {"minikube": "minikube", "kind": "todo", "k3d": "todo"}
"""What `make up` calls a cluster, as docs/settings.md says."""


class NodeImages:
    """What the nodes have. They are asked once in a run of the program, and only if need be."""

    def __init__(self, store: Store, archive: ImageArchive | None = None) -> None:
        """Asks nothing yet.

        Args:
            store: Tells what every node has.
            archive: How an image that was built gets to the nodes; none: it is built there.
        """
        self._store = store
        self._archive = archive

    def lacks(self, image: str) -> bool:
        """Tells whether a node surely has not got an image."""
        return self._found is not None and image not in self._found

    def fetch(self, image: str) -> None:
        """Takes an image that was built to the nodes, unless it was built there.

        Raises:
            pulumi.RunError: It did not get to every node.
        """
        if self._archive is None:
            return
        self._archive.load(image)
        # `minikube image load` ends well with a broken archive, too, and with a stopped node.
        found = self._store()
        if found is None or image not in found:
            raise pulumi.RunError(
                f"{image} was loaded into {self._archive.target}, but not every node has it: see "
                "that all nodes run and have space left, then run pulumi up again"
            )
        pulumi.log.info(f"{image} loaded into {self._archive.target}")

    @cached_property
    def _found(self) -> frozenset[str] | None:
        found = self._store()
        if found is None and self._archive is not None and not pulumi.runtime.is_dry_run():
            pulumi.log.warn(
                f"the nodes of {self._archive.target} do not say which images they have, so "
                "nothing is loaded into them: see that the cluster runs, then run pulumi up again"
            )
        return found


def node_images(cluster: ClusterSettings, images: Images) -> NodeImages | None:
    """Returns how to ask the nodes of a local cluster; None where there is no way, or no need."""
    if images.mode != "load":
        return None
    builder, provider = images.builder, cluster.provider
    if builder.exporter == "docker":
        return NodeImages(partial(in_daemon, builder.name))
    if provider == "embedded":
        return NodeImages(in_containerd)
    if provider == "minikube" or provider == "kind" or provider == "k3d":
        name = cluster.name or _USUAL[provider]
        if builder.exporter != "archive":
            # Its builder is no Docker context.
            return NodeImages(_store(provider, name, None))
        archive = ImageArchive(tool=provider, cluster=name, docker_context=builder.name)
        return NodeImages(_store(provider, name, builder.name), archive)
    if provider == "auto" or provider == "dockerDesktop" or provider == "context":
        return None
    assert_never(provider)


def _store(tool: Tool, name: str, context: str | None) -> Store:
    if tool == "minikube":
        return partial(in_minikube, name, context)
    if tool == "kind":
        return partial(in_containers, kind_nodes(name), context)
    if tool == "k3d":
        return partial(in_containers, k3d_nodes(name), context)
    assert_never(tool)


def rebuilt() -> str:
    """Returns what no image was marked with before: Pulumi then builds that image once more."""
    return secrets.token_hex(8)
