"""What a PostgreSQL server and its backups ask for, unless they are told otherwise."""

from math import ceil

from ..quantities import quantity_value
from ..resources import Resources

_MEBIBYTE = 1024**2

SERVER_RESOURCES = Resources(
    cpu_request="250m",
    cpu_limit="1",
    memory_request="256Mi",
    memory_limit="512Mi",
    ephemeral_storage_limit="512Mi",
)
"""Of the server; its memory settings follow from the limit (tuning.py)."""
BACKUP_RESOURCES = Resources(
    cpu_request="50m", cpu_limit="500m", memory_request="64Mi", memory_limit="256Mi"
)
"""Of one backup: pg_dump streams, whatever the size of the database."""
EXPORTER_RESOURCES = Resources(
    cpu_request="10m", cpu_limit="100m", memory_request="24Mi", memory_limit="64Mi"
)
"""Of what reads the server's metrics."""
STORAGE_SIZE = "1Gi"
"""Of the volume with the data, and of the one with the backups."""


def drill_scratch(storage_size: str) -> str:
    """Returns how much a drill may write, a Kubernetes quantity.

    What the volume holds that it restores, and 512 MiB for what an empty server has: 40 MB, and up
    to 128 MB of its log, which checkpoints may let grow.

    Args:
        storage_size: Size of the data volume, a Kubernetes quantity.
    """
    return f"{ceil(quantity_value(storage_size) / _MEBIBYTE) + 512}Mi"


def drill_resources(storage_size: str, staged: str = "0") -> Resources:
    """Returns what a drill asks for: it fills a small server, and builds the indexes.

    Args:
        storage_size: Size of the data volume, a Kubernetes quantity.
        staged: The most that a dump may take which lies on the node meanwhile.
    """
    written = quantity_value(drill_scratch(storage_size)) + quantity_value(staged)
    return Resources(
        cpu_request="50m",
        cpu_limit="1",
        memory_request="128Mi",
        memory_limit="512Mi",
        # What it writes counts, its lines too; the script looks whether the node has that much.
        ephemeral_storage_limit=f"{ceil(written / _MEBIBYTE) + 64}Mi",
    )


def staged_backup_resources(storage_size: str) -> Resources:
    """Returns what each container of a backup asks for that goes to an object store.

    restic keeps an index and some pieces of 16 MiB in memory. The dump lies on the node until it is
    stored, and counts as the containers' ephemeral storage.

    Args:
        storage_size: The most that a dump may take.
    """
    room = ceil(quantity_value(storage_size) / _MEBIBYTE)
    return Resources(
        cpu_request="50m",
        cpu_limit="1",
        memory_request="64Mi",
        memory_limit="512Mi",
        ephemeral_storage_limit=f"{room + 256}Mi",
    )
