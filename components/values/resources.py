"""What a container asks for and may use at most."""

from typing import Self

from pydantic import model_validator
from pydantic.alias_generators import to_camel

from .quantities import ByteQuantity, CpuQuantity, MemoryLimit, quantity_value
from .value import Value


class Resources(Value):
    """What one container asks for and may use at most."""

    cpu_request: CpuQuantity
    cpu_limit: CpuQuantity
    memory_request: ByteQuantity
    memory_limit: MemoryLimit
    ephemeral_storage_request: ByteQuantity = "64Mi"
    ephemeral_storage_limit: ByteQuantity = "256Mi"

    @model_validator(mode="after")
    def _requests_fit_limits(self) -> Self:
        for what in ("cpu", "memory", "ephemeral_storage"):
            request, limit = getattr(self, f"{what}_request"), getattr(self, f"{what}_limit")
            if quantity_value(request) > quantity_value(limit):
                name = to_camel(what)
                raise ValueError(
                    f"expected {name}Request ({request}) at most {name}Limit ({limit})"
                )
        return self
