"""Container images: built, taken to the nodes or pushed, or built elsewhere."""

from .container_image import ContainerImage, ContainerImageArgs
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
]
