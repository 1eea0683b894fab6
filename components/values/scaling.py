"""How many pods an application has."""

from math import ceil
from typing import Annotated, Literal, Self, assert_never

from pydantic import Field, model_validator

from .quantities import Replicas, quantity_value
from .resources import Resources
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

_TOLERANCE = 10
"""Per cent of its target by which the load has to be above it, before there are more pods
(https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#tolerance)."""


def check_reach(scaling: Scaling, resources: Resources) -> None:
    """Refuses an autoscaler that would never add a pod, since none can use as much CPU.

    Args:
        scaling: How many pods.
        resources: What each of them asks for and may use.

    Raises:
        ValueError: The sentence says which percentage would do.
    """
    match scaling:
        case Fixed():
            return
        case Autoscaled():
            request, limit = map(quantity_value, (resources.cpu_request, resources.cpu_limit))
            most = ceil(limit / request * 100 * 100 / (100 + _TOLERANCE)) - 1
            if scaling.cpu_percent > most:
                raise ValueError(
                    f"expected cpuPercent ({scaling.cpu_percent}) of at most {most}: a pod uses no "
                    f"more than cpuLimit ({resources.cpu_limit}), and an autoscaler adds one when "
                    f"they use a tenth more than that percentage of cpuRequest "
                    f"({resources.cpu_request})"
                )
        case _:
            assert_never(scaling)
