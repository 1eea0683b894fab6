"""The settings that say how the images come to be."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from components.quantities import ImageReference
from components.values import Value


class BuilderSettings(Value):
    """What builds the images."""

    engine: Literal["docker-build", "docker"] = Field(
        default="docker-build",
        description="docker-build: BuildKit (pulumi-docker-build); docker: pulumi-docker's Image",
    )
    name: str | None = Field(default=None, description="buildx builder; none: the selected one")
    exporter: Literal["docker", "image-store"] = Field(
        default="docker",
        description="Only for mode load. docker: into the Docker daemon that the cluster runs on; "
        "image-store: the builder writes into the cluster's own containerd",
    )

    @model_validator(mode="after")
    def _engine_fits(self) -> Self:
        if self.engine == "docker" and (self.exporter != "docker" or self.name):
            raise ValueError("expected no name and exporter docker with engine docker")
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
    repository: Annotated[
        str,
        Field(
            pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+$",
            description="Registry and path; /backend and /frontend are appended",
        ),
    ]
    platforms: tuple[Literal["linux/amd64", "linux/arm64"], ...] = ("linux/amd64",)
    builder: BuilderSettings = BuilderSettings()
    base_images: BaseImages = BaseImages()


class PrebuiltImages(Value):
    """Deploy images that something else has built."""

    mode: Literal["prebuilt"]
    backend: ImageReference
    frontend: ImageReference


Images = Annotated[LoadedImages | RegistryImages | PrebuiltImages, Field(discriminator="mode")]
