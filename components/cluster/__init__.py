"""The cluster that the program talks to: provider, ownership of objects, pods that are watched."""

from .client import ClusterApi
from .managed import managed
from .mark import Mark
from .stack_identity import stack_identity

__all__ = ["ClusterApi", "Mark", "managed", "stack_identity"]
