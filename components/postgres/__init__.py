"""PostgreSQL in a StatefulSet, with its volume, its backups and its rollouts."""

from ..secrets.files import SecretFiles
from ..values.object_store import ObjectStore
from ..values.postgres.backup import Backup, Drill
from ..values.postgres.input_names import InputNames
from .args import BackupStore, PostgresMetrics, PostgresStatefulSetArgs
from .backup_job import BackupResources
from .drill_job import DrillResources
from .pod import PORT
from .postgres_stateful_set import PostgresStatefulSet

__all__ = [
    "PORT",
    "Backup",
    "BackupResources",
    "BackupStore",
    "Drill",
    "DrillResources",
    "InputNames",
    "ObjectStore",
    "PostgresMetrics",
    "PostgresStatefulSet",
    "PostgresStatefulSetArgs",
    "SecretFiles",
]
