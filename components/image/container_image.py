"""ContainerImage: a container image, built by Pulumi or built elsewhere."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

import pulumi

from . import docker_engine
from .node_images import NodeImages
from .signed_image import SignedImage, SignedImageArgs
from .sources import (
    BuildKit,
    BuiltAndLoaded,
    BuiltAndPushed,
    DockerEngine,
    ImageSource,
    ImageStoreBuildKit,
    Prebuilt,
)

_Declared = tuple[pulumi.Resource | None, pulumi.Output[str]]
"""What is built, and its reference."""


@dataclass(frozen=True, kw_only=True)
class ContainerImageArgs:
    """Arguments of ContainerImage."""

    source: ImageSource
    """Where the image comes from."""


class ContainerImage(pulumi.ComponentResource):
    """An image whose tag is a hash of what it is built from: unchanged sources roll no pod.

    Declares one image of pulumi-docker-build (`{name}-build`), or with a `DockerEngine` one of
    pulumi-docker and, for a daemon of its own, that plugin's provider (`{name}-docker`); nothing
    for a `Prebuilt` one. What is signed, or has to be, is a `SignedImage` besides
    (`{name}-signed`).
    """

    reference: pulumi.Output[str]
    """What a pod names: a content-hash tag (loaded), a digest (pushed), or what was given."""
    image: pulumi.Resource | None
    """What is built, `pulumi_docker_build.Image` or `pulumi_docker.Image`; None: prebuilt."""

    def __init__(
        self, name: str, args: ContainerImageArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Builds the image, or takes the prebuilt one.

        Args:
            name: The Pulumi name, and the prefix of what is declared.
            args: Where the image comes from.
            opts: Pulumi's resource options.

        Raises:
            pulumi.RunError: The build context has no Dockerfile.
        """
        super().__init__("kubernetes-app-components:index:ContainerImage", name, None, opts)
        self.image, self.reference = _declare(name, args.source, self)
        self.register_outputs({"reference": self.reference})


def _declare(name: str, source: ImageSource, parent: pulumi.Resource) -> _Declared:
    match source:
        case BuiltAndLoaded():
            return _declare_loaded(name, source, parent)
        case BuiltAndPushed():
            image, pushed = _declare_pushed(name, source, parent)
            if source.signing is None:
                return image, pushed
            platforms = _platforms(source)
            args = SignedImageArgs(image=pushed, by=source.signing, platforms=platforms)
            return image, _signed(name, args, parent)
        case Prebuilt():
            given = pulumi.Output.from_input(source.reference)
            if source.verification is None:
                return None, given
            args = SignedImageArgs(image=given, by=source.verification)
            return None, _signed(name, args, parent)
        case _:
            assert_never(source)


def _declare_loaded(name: str, source: BuiltAndLoaded, parent: pulumi.Resource) -> _Declared:
    tagged = source.build.tagged(source.repository)
    lost = source.nodes is not None and source.nodes.lacks(tagged)
    match source.builder:
        case BuildKit() | ImageStoreBuildKit():
            from . import buildkit  # only here, so that a prebuilt image needs no plugin

            image = buildkit.declare_loaded(
                name, source, source.builder, tagged, lost=lost, parent=parent
            )
        case DockerEngine():
            image = docker_engine.declare_loaded(
                name, source, source.builder, tagged, lost=lost, parent=parent
            )
        case _:
            assert_never(source.builder)
    return image, _on_the_nodes(image, tagged, source.nodes if lost else None)


def _declare_pushed(name: str, source: BuiltAndPushed, parent: pulumi.Resource) -> _Declared:
    match source.builder:
        case BuildKit():
            from . import buildkit  # as above

            return buildkit.declare_pushed(name, source, source.builder, parent=parent)
        case DockerEngine():
            return docker_engine.declare_pushed(name, source, source.builder, parent=parent)
        case _:
            assert_never(source.builder)


def _platforms(source: BuiltAndPushed) -> Sequence[str]:
    match source.builder:
        case BuildKit():
            return source.platforms
        case DockerEngine():
            return source.platforms[:1]
        case _:
            assert_never(source.builder)


def _signed(name: str, args: SignedImageArgs, parent: pulumi.Resource) -> pulumi.Output[str]:
    opts = pulumi.ResourceOptions(parent=parent)
    return SignedImage(f"{name}-signed", args, opts).reference


def _on_the_nodes(
    image: pulumi.Resource, tagged: str, lacking: NodeImages | None
) -> pulumi.Output[str]:
    """Returns the reference as soon as the nodes that lacked the image have it."""

    async def fetch(_: str) -> str:
        if lacking is not None and not pulumi.runtime.is_dry_run():
            await asyncio.to_thread(lacking.fetch, tagged)
        return tagged

    # The URN is known in previews and makes the pods wait for the build.
    return image.urn.apply(fetch)
