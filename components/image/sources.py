"""Where a container image comes from: a union, and what builds it: another one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pulumi

from .content_hash import content_hash
from .docker_context import Daemon
from .node_images import NodeImages
from .signing import Signing, Verification


@dataclass(frozen=True, kw_only=True)
class Build:
    """What an image is built from."""

    context: Path
    """Folder with the Dockerfile, relative so that no machine's path gets into the state."""
    args: Mapping[str, str] = field(default_factory=dict[str, str])
    """Build arguments, the base images among them."""
    target: str | None = None
    """Stage of the Dockerfile; None: the last."""

    @property
    def dockerfile(self) -> str:
        """Path of the Dockerfile."""
        return (self.context / "Dockerfile").as_posix()

    def tagged(self, repository: str) -> str:
        """Returns the name of the image in a repository: its tag is a hash of its sources.

        Raises:
            pulumi.RunError: The context has no Dockerfile.
        """
        return f"{repository}:{content_hash(self.context, self.args, self.target)}"


@dataclass(frozen=True, kw_only=True)
class BuildKit:
    """BuildKit, by Pulumi's docker-build plugin."""

    name: str | None = None
    """The buildx builder or Docker context; None: the selected one."""


@dataclass(frozen=True, kw_only=True)
class ImageStoreBuildKit:
    """A BuildKit whose worker is the containerd of a node: it writes straight into its store."""

    name: str | None = None
    """The buildx builder; None: the selected one."""


@dataclass(frozen=True, kw_only=True)
class DockerEngine:
    """The builder in a Docker daemon, by Pulumi's classic docker plugin."""

    daemon: Daemon | None = None
    """The daemon, as `docker_context.daemon_of` finds it; None: the environment's."""


@dataclass(frozen=True, kw_only=True)
class BuiltAndLoaded:
    """Built into the nodes of a local cluster; no registry is involved."""

    repository: str
    """Name without tag. One in `localhost/` is pulled from nowhere: an image that is missing is an
    error then, and never a stranger's."""
    build: Build
    builder: BuildKit | ImageStoreBuildKit | DockerEngine = BuildKit()
    nodes: NodeImages | None = None
    """Where the image has to be; None: nobody is asked, whatever was built is there."""
    rebuild_mark: str = "kubernetes-app-components/build"
    """Label of an image that was built once more because a node had lost it."""


@dataclass(frozen=True, kw_only=True)
class BuiltAndPushed:
    """Built and pushed to a registry, deployed by digest."""

    repository: str
    """Name without tag, with the registry."""
    build: Build
    builder: BuildKit | DockerEngine = BuildKit()
    platforms: Sequence[str] = ("linux/amd64",)
    """What the image is built for; a Docker engine builds for the first alone."""
    signing: Signing | None = None
    """How it is signed, with a bill of materials; None: it is not."""


@dataclass(frozen=True, kw_only=True)
class Prebuilt:
    """Built by something else."""

    reference: pulumi.Input[str]
    """The image, with a tag or a digest."""
    verification: Verification | None = None
    """Whose signature it has to have, with a bill of materials; None: nobody looks."""


ImageSource = BuiltAndLoaded | BuiltAndPushed | Prebuilt
