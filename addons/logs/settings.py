"""The settings of the logs."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from addons.logs.names import LINKS
from components.values.image_reference import ImageReference
from components.values.names import ObjectName
from components.values.quantities import ByteQuantity, quantity_value
from components.values.resources import Resources
from components.values.text import Between, Matching
from components.values.value import Value

_MEBIBYTE = 1024**2


def _on_the_node(folder: str) -> str:
    if folder == LINKS:
        raise ValueError(f"expected other folders than {LINKS}, which it reads anyway")
    if {".", ".."} & {*folder.split("/")}:
        raise ValueError("expected an absolute path without . and ..")
    return folder


def _all_different(folders: tuple[str, ...]) -> tuple[str, ...]:
    if len(folders) != len(set(folders)):
        raise ValueError("expected each folder once")
    return folders


_Folder = Annotated[
    str,
    Matching(pattern="(/[A-Za-z0-9._-]+)+", allowed="an absolute path"),
    AfterValidator(_on_the_node),
]


class LogsImages(Value):
    """What runs."""

    server: ImageReference = "docker.io/victoriametrics/victoria-logs:v1.52.1"
    agent: ImageReference = "docker.io/victoriametrics/vlagent:v1.52.1"


class LogsStorage(Value):
    """The volume of the lines."""

    size: ByteQuantity = "5Gi"
    storage_class: ObjectName | None = Field(default=None, description="None: the default class")


class LogsSettings(Value):
    """Every pod's lines, kept after it is gone, to be searched."""

    images: LogsImages = LogsImages()
    keep_days: Annotated[int, Between(1, 3650), Field(description="Days that a line is kept")] = 14
    storage: LogsStorage = LogsStorage()
    resources: Resources = Field(
        default=Resources(
            cpu_request="20m",
            cpu_limit="1",
            memory_request="96Mi",
            memory_limit="384Mi",
        ),
        description="Of the server",
    )
    agent_resources: Resources = Field(
        default=Resources(
            cpu_request="10m",
            cpu_limit="300m",
            memory_request="48Mi",
            memory_limit="192Mi",
            # Lines of which the server is away: see agent.py.
            ephemeral_storage_limit="1280Mi",
        ),
        description="Of the agent on each node",
    )
    log_folders: Annotated[
        tuple[_Folder, ...], Field(min_length=1, max_length=8), AfterValidator(_all_different)
    ] = Field(
        default=("/var/log/pods",),
        description="Folders of a node into which the links in /var/log/containers lead; with "
        "Docker as the nodes' runtime also /var/lib/docker/containers",
    )

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        # The server never drops the two newest days for room, so these have to fit.
        if quantity_value(self.storage.size) < 256 * _MEBIBYTE:
            raise ValueError(f"expected storage.size ({self.storage.size}) of at least 256Mi")
        return self
