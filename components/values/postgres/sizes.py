"""What a PostgreSQL server and its backups ask for, unless they are told otherwise."""

from ..resources import Resources

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
STORAGE_SIZE = "1Gi"
"""Of the volume with the data, and of the one with the backups."""
