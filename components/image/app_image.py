"""AppImage: a container image, built by Pulumi or built elsewhere."""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pulumi
import pulumi_docker_build as docker_build
from docker.utils.build import exclude_paths

from ..todo.settings.images import BuilderSettings, Images, LoadedImages, RegistryImages
from .docker_context import daemon_of
from .node_images import NodeImages, rebuilt

_BUILD = "TODO_KUBERNETES_BUILD"
"""A build argument that no Dockerfile knows, for the engine that cannot label an image."""


@dataclass(frozen=True, kw_only=True)
class AppImageArgs:
    """Arguments of AppImage."""

    images: Images
    """How images come to be; `mode: prebuilt` uses the reference called like `image_name`."""
    image_name: str
    """Last part of the image's name."""
    context: Path
    """Folder with the Dockerfile, relative so that no machine's path gets into the state."""
    build_args: Mapping[str, str] = field(default_factory=dict[str, str])
    nodes: NodeImages | None = None
    """Where a loaded image has to be; None: nobody is asked, whatever was built is there."""


class AppImage(pulumi.ComponentResource):
    """An image whose tag is a hash of what it is built from: unchanged sources roll no pod."""

    reference: pulumi.Output[str]
    """What a pod names: a content-hash tag (load), a digest (registry), or what was given."""

    def __init__(
        self, name: str, args: AppImageArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Builds the image, or takes the prebuilt one."""
        super().__init__("todo:kubernetes:AppImage", name, None, opts)
        if args.images.mode == "prebuilt":
            prebuilt = {"backend": args.images.backend, "frontend": args.images.frontend}
            self.reference = pulumi.Output.from_input(prebuilt[args.image_name])
        elif args.images.builder.engine == "docker":
            self.reference = self._build_with_docker(name, args, args.images)
        else:
            self.reference = self._build_with_buildkit(name, args, args.images)
        self.register_outputs({"reference": self.reference})

    def _build_with_buildkit(
        self, name: str, args: AppImageArgs, images: LoadedImages | RegistryImages
    ) -> pulumi.Output[str]:
        repository, tagged = _names(args, images)
        loaded = images.mode == "load"
        in_store = images.mode == "load" and images.builder.exporter == "image-store"
        lost = loaded and _is_lost(args, tagged)
        image = docker_build.Image(
            f"{name}-build",
            context=docker_build.BuildContextArgs(location=args.context.as_posix()),
            dockerfile=docker_build.DockerfileArgs(
                location=(args.context / "Dockerfile").as_posix()
            ),
            build_args=dict(args.build_args),
            builder=_builder(images.builder),
            # A broken build should show before a push; a local one shows soon enough.
            build_on_preview=not loaded,
            # Minikube's Docker daemon is a builder only the buildx CLI can drive.
            exec_=loaded and not in_store,
            push=not loaded,
            load=True if loaded and not in_store else None,
            platforms=None if loaded else [docker_build.Platform(p) for p in images.platforms],
            tags=None if in_store else [tagged],
            exports=[_store_export(tagged)] if in_store else None,
            labels={"todo-kubernetes/build": rebuilt()} if lost else None,
            opts=self._options("labels", loaded=loaded, lost=lost),
        )
        if loaded:
            return _on_the_nodes(image, args, tagged, lost=lost)
        return image.digest.apply(lambda digest: f"{repository}@{digest}")

    def _build_with_docker(
        self, name: str, args: AppImageArgs, images: LoadedImages | RegistryImages
    ) -> pulumi.Output[str]:
        import pulumi_docker as docker  # only here, so that others need no second plugin

        _, tagged = _names(args, images)
        loaded = images.mode == "load"
        lost = loaded and _is_lost(args, tagged)
        opts = self._options(f"build.args.{_BUILD}", loaded=loaded, lost=lost)
        if images.builder.name:
            daemon = daemon_of(images.builder.name)
            opts.provider = docker.Provider(
                f"{name}-docker",
                host=daemon.host,
                cert_path=daemon.certificates,
                opts=pulumi.ResourceOptions(parent=self),
            )
        image = docker.Image(
            f"{name}-build",
            image_name=tagged,
            build=docker.DockerBuildArgs(
                context=args.context.as_posix(),
                dockerfile=(args.context / "Dockerfile").as_posix(),
                args={**args.build_args, **({_BUILD: rebuilt()} if lost else {})},
                platform=None if images.mode == "load" else images.platforms[0],
            ),
            skip_push=loaded,
            opts=opts,
        )
        if loaded:
            return _on_the_nodes(image, args, tagged, lost=lost)
        return image.repo_digest

    def _options(self, mark: str, *, loaded: bool, lost: bool) -> pulumi.ResourceOptions:
        """Keeps the mark of an earlier rebuild, so that only another loss changes the image.

        One that was loaded is never deleted: no registry has it, and the plugin would ask one.
        """
        return pulumi.ResourceOptions(
            parent=self, ignore_changes=None if lost else [mark], retain_on_delete=loaded
        )


def _is_lost(args: AppImageArgs, tagged: str) -> bool:
    return args.nodes is not None and args.nodes.lacks(tagged)


def _on_the_nodes(
    image: pulumi.Resource, args: AppImageArgs, tagged: str, *, lost: bool
) -> pulumi.Output[str]:
    """Returns the reference as soon as the nodes have the image."""

    async def fetch(_: str) -> str:
        if lost and args.nodes is not None and not pulumi.runtime.is_dry_run():
            await asyncio.to_thread(args.nodes.fetch, tagged)
        return tagged

    # The URN is known in previews and makes the pods wait for the build.
    return image.urn.apply(fetch)


def _names(args: AppImageArgs, images: LoadedImages | RegistryImages) -> tuple[str, str]:
    # `localhost/` is pulled from nowhere: a missing image is an error and not a stranger's.
    prefix = "localhost/todo" if images.mode == "load" else images.repository
    repository = f"{prefix}/{args.image_name}"
    return repository, f"{repository}:{content_hash(args.context, args.build_args)}"


def _builder(builder: BuilderSettings) -> docker_build.BuilderConfigArgs | None:
    return docker_build.BuilderConfigArgs(name=builder.name) if builder.name else None


def _store_export(tagged: str) -> docker_build.ExportArgs:
    return docker_build.ExportArgs(
        image=docker_build.ExportImageArgs(names=[tagged], store=True, unpack=True, push=False)
    )


def content_hash(context: Path, build_args: Mapping[str, str]) -> str:
    """Returns 16 hex digits of everything an image is built from.

    Args:
        context: The build context; what its `.dockerignore` excludes does not count.
        build_args: The build arguments, the base images among them.

    Raises:
        pulumi.RunError: The folder has no Dockerfile.
    """
    if not (context / "Dockerfile").is_file():
        raise pulumi.RunError(
            f"{context}/Dockerfile is missing; run pulumi in the project's folder"
        )
    ignore = context / ".dockerignore"
    lines = ignore.read_text(encoding="utf-8").splitlines() if ignore.is_file() else []
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    digest = hashlib.sha256()
    for key, value in sorted(build_args.items()):
        digest.update(f"arg {key}={value}\0".encode())
    for path in sorted(exclude_paths(str(context), patterns, dockerfile="Dockerfile")):
        file = context / path
        if file.is_symlink():
            digest.update(f"link {path} {file.readlink()}\0".encode())
        elif file.is_file():
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            executable = bool(file.stat().st_mode & 0o100)
            digest.update(f"file {path} {executable} {content}\0".encode())
    return digest.hexdigest()[:16]
