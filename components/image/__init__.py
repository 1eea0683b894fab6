"""Container images: built, taken to the nodes or pushed, or built elsewhere."""

from .container_image import ContainerImage, ContainerImageArgs
from .signed_image import SignedImage, SignedImageArgs
from .signing import Signing, SigningKey, Verification
from .sources import (
    Build,
    BuildKit,
    BuiltAndLoaded,
    BuiltAndPushed,
    DockerEngine,
    ImageSource,
    ImageStoreBuildKit,
    Prebuilt,
)

__all__ = [
    "Build",
    "BuildKit",
    "BuiltAndLoaded",
    "BuiltAndPushed",
    "ContainerImage",
    "ContainerImageArgs",
    "DockerEngine",
    "ImageSource",
    "ImageStoreBuildKit",
    "Prebuilt",
    "SignedImage",
    "SignedImageArgs",
    "Signing",
    "SigningKey",
    "Verification",
]
