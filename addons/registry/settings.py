"""The settings of the registry."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from addons.local_authority.permitted import is_permitted
from addons.names import REGISTRY_PORT
from components.values.image_reference import ImageReference
from components.values.names import HostName, ObjectName
from components.values.quantities import ByteQuantity, NodePortNumber, quantity_value
from components.values.resources import Resources
from components.values.value import Value

_MEBIBYTE = 1024**2


def _local(host: str) -> str:
    if not is_permitted(host):
        raise ValueError(
            "expected a private address, or a name that no public DNS has: the local authority "
            "signs for no other"
        )
    return host


_Host = Annotated[HostName, AfterValidator(_local)]


class RegistrySettings(Value):
    """CNCF Distribution, for clusters that have no registry of a cloud beside them.

    The local authority signs its certificate, so the block of that has to be there too.
    """

    image: ImageReference = "docker.io/library/registry:3.1.2"
    hosts: Annotated[tuple[_Host, ...], Field(min_length=1, max_length=16)] = Field(
        description="Addresses or names of nodes that its certificate is for; images begin with "
        "the first"
    )
    node_port: NodePortNumber = REGISTRY_PORT
    storage_size: ByteQuantity = "5Gi"
    storage_class: ObjectName | None = Field(default=None, description="None: the default class")
    resources: Resources = Resources(
        cpu_request="10m", cpu_limit="500m", memory_request="32Mi", memory_limit="192Mi"
    )

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        # A version of the application takes tens of megabytes, and each one stays.
        if quantity_value(self.storage_size) < 256 * _MEBIBYTE:
            raise ValueError(f"expected storageSize ({self.storage_size}) of at least 256Mi")
        return self
