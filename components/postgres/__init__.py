"""PostgreSQL in a StatefulSet, with its volume, its backups and its rollouts."""

from .args import PostgresStatefulSetArgs
from .backup import Backup
from .backup_job import BackupResources
from .input_names import InputNames
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
