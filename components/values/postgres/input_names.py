"""InputNames: what those who configure a PostgreSQL server call its inputs."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class InputNames:
    """Names for messages: who reads one corrects the input where the program has it from."""

    server: str = "PostgresStatefulSetArgs"
    """All that is about the server."""
    image: str = "PostgresStatefulSetArgs.image"
    database: str = "PostgresStatefulSetArgs.database"
    user: str = "PostgresStatefulSetArgs.user"
    storage_size: str = "PostgresStatefulSetArgs.storage_size"
    storage_class: str = "PostgresStatefulSetArgs.storage_class"
    volume: str = "PostgresStatefulSetArgs.volume"
    backup_storage_size: str = "Backup.storage_size"
    backup_storage_class: str = "Backup.storage_class"
    backup_store: str = "BackupStore.store"
    backup_credentials: str = "the files of BackupStore.secrets"
    backup_key: str = "backup key in BackupStore.secrets"
    guide: str = "docs/components/postgres-stateful-set.md"
    """The page that says how a volume is enlarged or filled anew, under "Enlarge a volume",
    "Upgrade PostgreSQL's major version", "Change what the volume decides" and "Change the volume
    of the backups"."""
