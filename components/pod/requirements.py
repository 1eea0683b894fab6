"""Requests and limits as charts and custom resources want them: plain values."""

from ..values.resources import Resources


def as_requirements(resources: Resources) -> dict[str, dict[str, str]]:
    """Returns requests and limits as a container has them."""
    return {
        "requests": {
            "cpu": resources.cpu_request,
            "memory": resources.memory_request,
            "ephemeral-storage": resources.ephemeral_storage_request,
        },
        "limits": {
            "cpu": resources.cpu_limit,
            "memory": resources.memory_limit,
            "ephemeral-storage": resources.ephemeral_storage_limit,
        },
    }
