"""Images that BuildKit builds (pulumi-docker-build)."""

import pulumi
import pulumi_docker_build as docker_build

from .rebuild import loaded_options, new_mark, pushed_options
from .sources import Build, BuildKit, BuiltAndLoaded, BuiltAndPushed, ImageStoreBuildKit


def declare_loaded(
    name: str,
    source: BuiltAndLoaded,
    builder: BuildKit | ImageStoreBuildKit,
    tagged: str,
    *,
    lost: bool,
    parent: pulumi.Resource,
) -> pulumi.Resource:
    """Declares an image that is built where the nodes, or what loads it into them, find it.

    Args:
        name: Prefix of the Pulumi name.
        source: What it is built from.
        builder: What builds it.
        tagged: The image's name and tag.
        lost: Whether a node surely has not got it.
        parent: The component.
    """
    in_store = isinstance(builder, ImageStoreBuildKit)
    return docker_build.Image(
        f"{name}-build",
        context=_context(source.build),
        dockerfile=_dockerfile(source.build),
        build_args=dict(source.build.args),
        target=source.build.target,
        builder=_builder(builder),
        # That a build is broken shows soon enough.
        build_on_preview=False,
        # The Docker daemon of a cluster is a builder that only the buildx CLI can drive.
        exec_=not in_store,
        push=False,
        load=None if in_store else True,
        tags=None if in_store else [tagged],
        exports=[_store_export(tagged)] if in_store else None,
        labels={source.rebuild_mark: new_mark()} if lost else None,
        opts=loaded_options("labels", lost=lost, parent=parent),
    )


def declare_pushed(
    name: str, source: BuiltAndPushed, builder: BuildKit, *, parent: pulumi.Resource
) -> tuple[docker_build.Image, pulumi.Output[str]]:
    """Declares an image in a registry; returns it and its reference by digest.

    Args:
        name: Prefix of the Pulumi name.
        source: What it is built from, and where to.
        builder: What builds it.
        parent: The component.
    """
    image = docker_build.Image(
        f"{name}-build",
        context=_context(source.build),
        dockerfile=_dockerfile(source.build),
        build_args=dict(source.build.args),
        target=source.build.target,
        builder=_builder(builder),
        # A broken build should show before a push.
        build_on_preview=True,
        exec_=False,
        push=True,
        platforms=[docker_build.Platform(it) for it in source.platforms],
        tags=[source.build.tagged(source.repository)],
        opts=pushed_options(parent),
    )
    return image, image.digest.apply(lambda digest: f"{source.repository}@{digest}")


def _context(build: Build) -> docker_build.BuildContextArgs:
    return docker_build.BuildContextArgs(location=build.context.as_posix())


def _dockerfile(build: Build) -> docker_build.DockerfileArgs:
    return docker_build.DockerfileArgs(location=build.dockerfile)


def _builder(builder: BuildKit | ImageStoreBuildKit) -> docker_build.BuilderConfigArgs | None:
    return docker_build.BuilderConfigArgs(name=builder.name) if builder.name else None


def _store_export(tagged: str) -> docker_build.ExportArgs:
    return docker_build.ExportArgs(
        image=docker_build.ExportImageArgs(names=[tagged], store=True, unpack=True, push=False)
    )
