"""The images of the Todo application's services, as the settings want them made."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, assert_never

import pulumi

from components.image.docker_context import daemon_of
from components.image.node_images import NodeImages
from components.image.signing import Signing, SigningKey, Verification
from components.image.sources import (
    Build,
    BuildKit,
    BuiltAndLoaded,
    BuiltAndPushed,
    DockerEngine,
    ImageSource,
    ImageStoreBuildKit,
    Prebuilt,
)
from components.todo.names import IMAGE_MARK, LOADED_IMAGES, PROJECT
from components.todo.settings.images import (
    BaseImages,
    BuilderSettings,
    Images,
    LoadedImages,
    PrebuiltImages,
    RegistryImages,
    SignatureSettings,
)

BaseImage = Literal["python", "node"]
"""A setting of `images.baseImages`."""


def image_source(
    images: Images,
    service: str,
    *,
    context: Path,
    bases: Mapping[str, BaseImage],
    nodes: NodeImages | None = None,
    signing_key: pulumi.Output[SigningKey] | None = None,
) -> ImageSource:
    """Returns where the image of a service comes from.

    Args:
        images: The settings.
        service: The last part of the image's name, and the setting with the prebuilt one.
        context: Folder with its Dockerfile, relative to the project.
        bases: The Dockerfile's arguments that name a base image.
        nodes: Where a loaded image has to be; None: nobody is asked.
        signing_key: What a pushed image is signed with, where the settings say so.

    Raises:
        pulumi.RunError: The settings name a Docker context that does not exist.
    """
    match images:
        case LoadedImages():
            return BuiltAndLoaded(
                repository=f"{LOADED_IMAGES}/{service}",
                build=_build(context, bases, images.base_images),
                builder=_loading_builder(images.builder),
                nodes=nodes,
                rebuild_mark=IMAGE_MARK,
            )
        case RegistryImages():
            return BuiltAndPushed(
                repository=f"{images.repository}/{service}",
                build=_build(context, bases, images.base_images),
                builder=_builder(images.builder),
                platforms=images.platforms,
                signing=_signing(images, signing_key),
            )
        case PrebuiltImages():
            return Prebuilt(
                reference=images.model_dump()[service],
                verification=_verification(images.signature) if images.signature else None,
            )
        case _:
            assert_never(images)


def _verification(settings: SignatureSettings) -> Verification:
    return Verification(public_key=settings.public_key, authority=settings.ca_bundle)


def _signing(images: RegistryImages, key: pulumi.Output[SigningKey] | None) -> Signing | None:
    if images.signature is None:
        return None
    if key is None:
        raise ValueError("images.signature needs a key to sign with")
    return Signing(key=key, verification=_verification(images.signature))


def pinned_image(images: Images, service: str) -> Prebuilt | None:
    """Returns the image that a service is to have instead of what is built for it, if any."""
    match images:
        case LoadedImages():
            pin, demanded = images.pins.model_dump()[service], None
        case RegistryImages():
            pin, demanded = images.pins.model_dump()[service], images.signature
        case PrebuiltImages():
            return None
        case _:
            assert_never(images)
    if pin is None:
        return None
    return Prebuilt(reference=pin, verification=_verification(demanded) if demanded else None)


def image_setting(images: Images, service: str) -> str:
    """Returns where a stack's configuration names the image of a service, as a path."""
    match images:
        case LoadedImages() | RegistryImages():
            return f"{PROJECT}:settings.images.pins.{service}"
        case PrebuiltImages():
            return f"{PROJECT}:settings.images.{service}"
        case _:
            assert_never(images)


def _build(context: Path, bases: Mapping[str, BaseImage], images: BaseImages) -> Build:
    references = images.model_dump()
    return Build(
        context=context, args={argument: references[base] for argument, base in bases.items()}
    )


def _loading_builder(settings: BuilderSettings) -> BuildKit | ImageStoreBuildKit | DockerEngine:
    match settings.exporter:
        case "image-store":
            return ImageStoreBuildKit(name=settings.name)
        case "docker" | "archive":
            return _builder(settings)
        case _:
            assert_never(settings.exporter)


def _builder(settings: BuilderSettings) -> BuildKit | DockerEngine:
    match settings.engine:
        case "docker-build":
            return BuildKit(name=settings.name)
        case "docker":
            return _docker_engine(settings.name)
        case _:
            assert_never(settings.engine)


def _docker_engine(context: str | None) -> DockerEngine:
    if context is None:
        return DockerEngine()
    daemon = daemon_of(context)
    if daemon is None:
        raise pulumi.RunError(
            f"todo:settings.images.builder.name is {context!r}: expected a Docker context of "
            "`docker context ls` with engine docker"
        )
    return DockerEngine(daemon=daemon)
