"""How many pods an application has."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from .quantities import Replicas
from .text import Between
from .value import Value


class Fixed(Value):
    """A constant number of pods."""

    mode: Literal["fixed"] = "fixed"
    replicas: Replicas = 2

    @property
    def most(self) -> int:
        """The largest number of pods outside a rolling update."""
        return self.replicas


class Autoscaled(Value):
    """As many pods as the CPU load asks for; the Deployment then names no number itself."""

    mode: Literal["autoscaled"] = "autoscaled"
    min_replicas: Replicas = 2
    max_replicas: Replicas = 5
    cpu_percent: Annotated[int, Between(1, 100)] = Field(
        default=70, description="Of the CPU request, as the mean of all pods"
    )
    scale_down_seconds: Annotated[int, Between(0, 3600)] = Field(
        default=300,
        description="How long fewer pods must have been enough before there are fewer",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_replicas > self.max_replicas:
            raise ValueError(
                f"expected minReplicas ({self.min_replicas}) "
                f"at most maxReplicas ({self.max_replicas})"
            )
        return self

    @property
    def most(self) -> int:
        """The largest number of pods outside a rolling update."""
        return self.max_replicas


Scaling = Annotated[Fixed | Autoscaled, Field(discriminator="mode")]
