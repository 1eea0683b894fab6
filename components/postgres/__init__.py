"""PostgreSQL in a StatefulSet, with its volume, its backups and its rollouts."""

from ..values.postgres.backup import Backup
from ..values.postgres.input_names import InputNames
from .args import PostgresStatefulSetArgs
from .backup_job import BackupResources
from .pod import PORT
from .postgres_stateful_set import PostgresStatefulSet

__all__ = [
    "PORT",
    "Backup",
    "BackupResources",
    "InputNames",
    "PostgresStatefulSet",
    "PostgresStatefulSetArgs",
]
