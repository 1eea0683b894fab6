"""The settings that say how the images come to be."""

from typing import Annotated, Literal, Self, assert_never

from pydantic import AfterValidator, Field, model_validator

from components.values.image_reference import ImageReference, Repository
from components.values.names import ObjectName
from components.values.text import Matching
from components.values.value import Value

# buildx takes these for a builder or a Docker context.
_BuilderName = Annotated[
    str,
    Matching(
        pattern=r"[A-Za-z0-9][A-Za-z0-9._+-]*",
        longest=128,
        allowed="a builder's name: letters, digits, '.', '_', '+' and '-'",
    ),
]
_Platform = Literal["linux/amd64", "linux/arm64"]


def _all_different(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(values) != len(set(values)):
        raise ValueError("expected each of them once")
    return values


def _at_least_one(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values:
        raise ValueError("expected at least one")
    return values


_PullSecrets = Annotated[
    tuple[ObjectName, ...],
    Field(
        max_length=16,
        json_schema_extra={"uniqueItems": True},
        description="Secrets of type kubernetes.io/dockerconfigjson, which you keep in the "
        "namespace, with the registry's credentials",
    ),
    AfterValidator(_all_different),
]


class BuilderSettings(Value):
    """What builds the images."""

    engine: Literal["docker-build", "docker"] = Field(
        default="docker-build",
        description="docker-build: BuildKit (pulumi-docker-build); docker: pulumi-docker's Image",
    )
    name: _BuilderName | None = Field(
        default=None,
        description="buildx builder, or a Docker context with engine docker and with exporter "
        "archive; none: the selected one",
    )
    exporter: Literal["docker", "image-store", "archive"] = Field(
        default="docker",
        description="Only for mode load. docker: into the Docker daemon that the cluster runs on; "
        "image-store: the builder writes into the cluster's own containerd; archive: built in this "
        "machine's Docker, then loaded into every node by Minikube, kind or k3d",
    )

    @model_validator(mode="after")
    def _engine_fits(self) -> Self:
        if self.engine == "docker" and self.exporter == "image-store":
            raise ValueError(
                "expected exporter docker or archive with engine docker: only BuildKit (engine "
                "docker-build) writes into an image store"
            )
        return self


class BaseImages(Value):
    """The images that the Dockerfiles start from."""

    python: ImageReference = "docker.io/library/python:3.13-slim-trixie"
    node: ImageReference = "docker.io/library/node:24-slim"


class LoadedImages(Value):
    """Build straight into the local cluster; no registry involved."""

    mode: Literal["load"]
    builder: BuilderSettings = BuilderSettings()
    base_images: BaseImages = BaseImages()


class RegistryImages(Value):
    """Build, push and deploy by digest."""

    mode: Literal["registry"]
    repository: Repository = Field(
        description="Registry and path; /backend and /frontend are appended"
    )
    platforms: Annotated[
        tuple[_Platform, ...],
        Field(json_schema_extra={"minItems": 1, "uniqueItems": True}),
        AfterValidator(_all_different),
        AfterValidator(_at_least_one),
    ] = ("linux/amd64",)
    pull_secrets: _PullSecrets = ()
    builder: BuilderSettings = BuilderSettings()
    base_images: BaseImages = BaseImages()


class PrebuiltImages(Value):
    """Deploy images that something else has built."""

    mode: Literal["prebuilt"]
    backend: ImageReference
    frontend: ImageReference
    pull_secrets: _PullSecrets = ()


Images = Annotated[LoadedImages | RegistryImages | PrebuiltImages, Field(discriminator="mode")]


def pull_secrets(images: Images) -> tuple[str, ...]:
    """Returns the names of the Secrets that pods pull with."""
    match images:
        case LoadedImages():
            return ()
        case RegistryImages() | PrebuiltImages():
            return images.pull_secrets
        case _:
            assert_never(images)
