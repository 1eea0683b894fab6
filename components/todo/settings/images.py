"""The settings that say how the images come to be."""

import re
from typing import Annotated, Literal, Self, assert_never

from pydantic import AfterValidator, Field, model_validator

from components.values.certificates import check_bundle
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


_PUBLIC_KEY = re.compile(
    r"\s*-----BEGIN PUBLIC KEY-----\s+[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----\s*"
)


class SignatureSettings(Value):
    """Every image of the stack has a signature and a signed bill of materials in its registry.

    Made and found by cosign 3 and syft, which have to be installed. Mode registry signs what it has
    pushed, with the secrets signingKey and signingPassword; mode prebuilt, and whatever is pinned,
    demand that somebody has.
    """

    public_key: str = Field(
        description="Of a pair that `cosign generate-key-pair` has made: the text of cosign.pub"
    )
    ca_bundle: str | None = Field(
        default=None,
        description="PEM text of the authorities that sign the registry's certificate; none: "
        "those that this machine trusts",
    )

    @model_validator(mode="after")
    def _has_nothing_secret(self) -> Self:
        # Here and not at the fields, whose errors show the value: it might be a private key.
        if not _PUBLIC_KEY.fullmatch(self.public_key):
            raise ValueError(
                "expected publicKey to be the text of cosign.pub, from -----BEGIN PUBLIC "
                "KEY----- to -----END PUBLIC KEY-----; the private key belongs into no setting"
            )
        if self.ca_bundle is not None:
            check_bundle(self.ca_bundle)
        return self


class ImagePins(Value):
    """Images to deploy instead of what is built, which is built all the same."""

    backend: ImageReference | None = None
    frontend: ImageReference | None = None


class LoadedImages(Value):
    """Build straight into the local cluster; no registry involved."""

    mode: Literal["load"]
    builder: BuilderSettings = BuilderSettings()
    base_images: BaseImages = BaseImages()
    pins: ImagePins = ImagePins()


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
    signature: SignatureSettings | None = None
    pull_secrets: _PullSecrets = ()
    builder: BuilderSettings = BuilderSettings()
    base_images: BaseImages = BaseImages()
    pins: ImagePins = ImagePins()

    @model_validator(mode="after")
    def _pins_signed_by_digest(self) -> Self:
        pinned = [it for it in (self.pins.backend, self.pins.frontend) if it]
        if self.signature and not all("@sha256:" in it for it in pinned):
            raise ValueError(
                "expected pins by digest (…@sha256:…) with signature: a tag may become that of "
                "another image"
            )
        return self


class PrebuiltImages(Value):
    """Deploy images that something else has built."""

    mode: Literal["prebuilt"]
    backend: ImageReference
    frontend: ImageReference
    signature: SignatureSettings | None = None
    pull_secrets: _PullSecrets = ()

    @model_validator(mode="after")
    def _signed_by_digest(self) -> Self:
        if self.signature and not all("@sha256:" in it for it in (self.backend, self.frontend)):
            raise ValueError(
                "expected backend and frontend by digest (…@sha256:…) with signature: a tag may "
                "become that of another image"
            )
        return self


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


def signature(images: Images) -> SignatureSettings | None:
    """Returns whose signature the images have; None: nobody's."""
    match images:
        case LoadedImages():
            return None
        case RegistryImages() | PrebuiltImages():
            return images.signature
        case _:
            assert_never(images)
