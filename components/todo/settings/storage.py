"""The settings of a volume."""

from pydantic import Field

from components.values.names import ObjectName
from components.values.postgres.sizes import STORAGE_SIZE
from components.values.quantities import ByteQuantity
from components.values.value import Value


class StorageSettings(Value):
    """A volume claim."""

    size: ByteQuantity = STORAGE_SIZE
    storage_class: ObjectName | None = Field(default=None, description="None: the default class")
