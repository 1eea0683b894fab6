"""Backup: when a PostgreSQL database is dumped, and where to."""

from dataclasses import dataclass

from ..resources import Resources
from .sizes import BACKUP_RESOURCES, STORAGE_SIZE


@dataclass(frozen=True, kw_only=True)
class Drill:
    """When to prove that the newest dump can be restored."""

    schedule: str = "17 5 * * 0"
    """Cron line, in UTC. Sundays, two hours after a backup of the default schedule has begun."""


@dataclass(frozen=True, kw_only=True)
class Backup:
    """When to dump the database, and how many dumps to keep."""

    schedule: str = "17 3 * * *"
    """Cron line, in UTC."""
    keep: int = 7
    """How many dumps are kept: the newest so many, and the newest of each of the last so many days
    that have one. When the volume is full, older ones go: first those with a later one of the same
    day."""
    storage_size: str = STORAGE_SIZE
    """Size of the volume with the dumps, which can grow where the storage class allows it; or, with
    an object store, the most that one dump may take of a node until it is stored."""
    storage_class: str | None = None
    """Storage class of that volume; None: the cluster's default."""
    resources: Resources = BACKUP_RESOURCES
    drill: Drill | None = None
    """None: no schedule proves it."""
