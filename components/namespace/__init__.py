"""A namespace with its Pod Security level, quota and default sizes."""

from .namespace import (
    PodDemand,
    declare_default_sizes,
    declare_namespace,
    declare_quota,
    hard_limits,
)
from .quota_room import QuotaRoom

__all__ = [
    "PodDemand",
    "QuotaRoom",
    "declare_default_sizes",
    "declare_namespace",
    "declare_quota",
    "hard_limits",
]
