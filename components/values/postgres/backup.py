"""Backup: when a PostgreSQL database is dumped, and where to."""

from dataclasses import dataclass

from ..resources import Resources
from .sizes import BACKUP_RESOURCES, STORAGE_SIZE


@dataclass(frozen=True, kw_only=True)
class Backup:
    """When to dump the database, and how many dumps to keep."""

    schedule: str = "17 3 * * *"
    """Cron line, in UTC."""
    keep: int = 7
    """How many dumps are kept; the oldest go when the volume is full."""
    storage_size: str = STORAGE_SIZE
    """Size of the volume with the dumps; it can grow where the storage class allows it."""
    storage_class: str | None = None
    """Storage class of that volume; None: the cluster's default."""
    resources: Resources = BACKUP_RESOURCES
