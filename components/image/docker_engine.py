"""Images that the builder in a Docker daemon builds (pulumi-docker)."""

import re

import pulumi

from .docker_context import Daemon
from .rebuild import loaded_options, new_mark, pushed_options
from .sources import BuiltAndLoaded, BuiltAndPushed, DockerEngine


def declare_loaded(
    name: str,
    source: BuiltAndLoaded,
    builder: DockerEngine,
    tagged: str,
    *,
    lost: bool,
    parent: pulumi.Resource,
) -> pulumi.Resource:
    """Declares an image that is built into a Docker daemon.

    Args:
        name: Prefix of the Pulumi names.
        source: What it is built from.
        builder: The daemon.
        tagged: The image's name and tag.
        lost: Whether a node surely has not got it.
        parent: The component.
    """
    import pulumi_docker as docker  # only here, so that others need no second plugin

    # This engine cannot label an image: no Dockerfile knows this build argument.
    mark = re.sub(r"[^A-Z0-9]", "_", source.rebuild_mark.upper())
    opts = loaded_options(f"build.args.{mark}", lost=lost, parent=parent)
    return docker.Image(
        f"{name}-build",
        image_name=tagged,
        build=docker.DockerBuildArgs(
            context=source.build.context.as_posix(),
            dockerfile=source.build.dockerfile,
            target=source.build.target,
            args={**source.build.args, **({mark: new_mark()} if lost else {})},
        ),
        skip_push=True,
        opts=_use_daemon(builder.daemon, name, opts, parent),
    )


def declare_pushed(
    name: str, source: BuiltAndPushed, builder: DockerEngine, *, parent: pulumi.Resource
) -> tuple[pulumi.Resource, pulumi.Output[str]]:
    """Declares an image in a registry; returns it and its reference by digest.

    Args:
        name: Prefix of the Pulumi names.
        source: What it is built from, and where to.
        builder: The daemon.
        parent: The component.
    """
    import pulumi_docker as docker  # as above

    image = docker.Image(
        f"{name}-build",
        image_name=source.build.tagged(source.repository),
        build=docker.DockerBuildArgs(
            context=source.build.context.as_posix(),
            dockerfile=source.build.dockerfile,
            target=source.build.target,
            args=dict(source.build.args),
            platform=source.platforms[0],
        ),
        skip_push=False,
        opts=_use_daemon(builder.daemon, name, pushed_options(parent), parent),
    )
    return image, image.repo_digest


def _use_daemon(
    daemon: Daemon | None, name: str, opts: pulumi.ResourceOptions, parent: pulumi.Resource
) -> pulumi.ResourceOptions:
    """Declares the plugin's provider for a daemon, and returns options with it."""
    import pulumi_docker as docker  # as above

    if daemon is None:
        return opts
    opts.provider = docker.Provider(
        f"{name}-docker",
        host=daemon.host,
        cert_path=daemon.certificates,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return opts
