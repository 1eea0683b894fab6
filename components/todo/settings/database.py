"""The settings of the database."""

from typing import Annotated, Literal, Self, assert_never

from pydantic import Field, field_validator, model_validator

from components.todo.secret_table import (
    OBJECT_STORE_KEY_ID,
    OBJECT_STORE_SECRET,
    STORE_SECRETS,
    SecretDescription,
)
from components.todo.settings.drill import DrillSettings
from components.todo.settings.operator_database import (
    ContinuousBackupSettings,
    OperatorDatabase,
)
from components.todo.settings.storage import StorageSettings
from components.values.addresses import Cidr, holds
from components.values.certificates import check_bundle
from components.values.cron import CronSchedule
from components.values.image_reference import ImageReference
from components.values.names import RemoteHost
from components.values.object_store import ObjectStore
from components.values.postgres.backup import Backup
from components.values.postgres.image import (
    DEFAULT_IMAGE,
    EXPORTER_IMAGE,
    RESTIC_IMAGE,
    PostgresImage,
)
from components.values.postgres.input_names import InputNames
from components.values.postgres.names import METRICS_ROLE, DatabaseName, RoleName
from components.values.postgres.sizes import SERVER_RESOURCES
from components.values.quantities import Port, quantity_value
from components.values.resources import Resources
from components.values.text import Between
from components.values.value import Value

_MEBIBYTE = 1024**2
_BLOCK = "todo:settings.database"
INPUT_NAMES = InputNames(
    server=_BLOCK,
    image=f"{_BLOCK}.image",
    database=f"{_BLOCK}.name",
    user=f"{_BLOCK}.user",
    storage_size=f"{_BLOCK}.storage.size",
    storage_class=f"{_BLOCK}.storage.storageClass",
    volume=f"{_BLOCK}.volume",
    backup_storage_size=f"{_BLOCK}.backup.storage.size",
    backup_storage_class=f"{_BLOCK}.backup.storage.storageClass",
    backup_store=f"{_BLOCK}.backup.destination",
    backup_credentials="todo:objectStoreKeyId and todo:objectStoreSecret",
    backup_key="todo:backupKey",
    guide="docs/operations.md",
)
"""What the component's messages call these settings."""


class VolumeDestination(Value):
    """A claim of the backups' own, in the cluster."""

    mode: Literal["volume"] = "volume"


class S3Destination(ObjectStore):
    """An object store outside the cluster, which the backups outlive it in, encrypted."""

    mode: Literal["s3"]
    keep_days: Annotated[
        int,
        Between(0, 3650),
        Field(description="Also kept, whatever their number: those of the last so many days"),
    ] = 0
    image: ImageReference = Field(default=RESTIC_IMAGE, description="restic, which encrypts them")


BackupDestination = Annotated[VolumeDestination | S3Destination, Field(discriminator="mode")]


class BackupSettings(Value):
    """A scheduled pg_dump, to a claim of its own or to an object store."""

    schedule: CronSchedule = Backup.schedule
    keep: Annotated[
        int,
        Between(1, 365),
        Field(
            description="Dumps kept: the newest so many, and the newest of each of the last so "
            "many days that have one"
        ),
    ] = Backup.keep
    drill: DrillSettings | None = Field(
        default=None,
        description="Restores the newest backup on a server of its own, in UTC; null: no schedule",
    )
    storage: StorageSettings = Field(
        default=StorageSettings(size=Backup.storage_size),
        description="Of the claim; with destination s3 the size is what one dump may take of a "
        "node, until it is stored",
    )
    destination: BackupDestination = VolumeDestination()

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        # A quarter of the smallest data volume (below): dumps are compressed, and the newest stays
        # until the next is there. In a few megabytes the first backup already fills the volume.
        if quantity_value(self.storage.size) < 64 * _MEBIBYTE:
            raise ValueError(
                f"expected storage.size ({self.storage.size}) of at least 64Mi: it holds up to "
                "keep backups, and the newest stays until the next one is written beside it"
            )
        return self


class ExporterSettings(Value):
    """What reads the database's metrics, beside it."""

    image: ImageReference = EXPORTER_IMAGE


class InClusterDatabase(Value):
    """PostgreSQL as a StatefulSet of the stack."""

    mode: Literal["inCluster"] = "inCluster"
    image: PostgresImage = DEFAULT_IMAGE
    name: DatabaseName = "todo"
    user: RoleName = Field(default="todo", description="The application's role, no superuser")
    storage: StorageSettings = StorageSettings()
    volume: Annotated[int, Between(1, 99)] = Field(
        default=1,
        description="Which of its volumes the server has; `ops upgrade-database` counts up",
    )
    resources: Resources = SERVER_RESOURCES
    backup: BackupSettings | None = Field(default=BackupSettings(), description="null: no backups")
    exporter: ExporterSettings | None = Field(
        default=None,
        description="Reads the server's metrics; to begin with it restarts the server once",
    )

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        # An empty server takes 40 MB, and its log at least 64 MB (components/postgres/tuning.py).
        if quantity_value(self.storage.size) < 256 * _MEBIBYTE:
            raise ValueError(f"expected storage.size ({self.storage.size}) of at least 256Mi")
        return self

    @model_validator(mode="after")
    def _reads_as_another(self) -> Self:
        if self.exporter and self.user == METRICS_ROLE:
            raise ValueError(
                f"expected another user than {METRICS_ROLE} with exporter: it reads the metrics, "
                "and may change nothing"
            )
        return self

    @field_validator("name", "user")
    @classmethod
    def _is_the_applications_own(cls, value: str) -> str:
        if value == "postgres":
            raise ValueError(
                "expected another name: the server's superuser and its database have it"
            )
        return value


class ExternalDatabase(Value):
    """PostgreSQL that somebody else runs; the password comes from the external secret store."""

    mode: Literal["external"]
    host: RemoteHost
    port: Port = 5432
    name: DatabaseName = "todo"
    user: RoleName = "todo"
    ssl_mode: Literal["require", "verify-ca", "verify-full"] = Field(
        default="require",
        description="require encrypts; verify-ca also wants a certificate of caBundle's "
        "authorities; verify-full also the server's name in it",
    )
    ca_bundle: str | None = Field(
        default=None,
        description="PEM text of the provider's certificate authorities; none: verify-full "
        "accepts the public ones",
    )
    pooler: bool = Field(
        default=False,
        strict=True,
        description="true: the host is a pooler in transaction mode, e.g. PgBouncer or RDS Proxy",
    )
    cidr: Cidr = Field(
        default="10.0.0.0/8", description="Addresses the backend may reach the database at"
    )

    @model_validator(mode="after")
    def _may_be_reached(self) -> Self:
        if not holds(self.cidr, self.host):
            raise ValueError(
                f"expected cidr ({self.cidr}) to hold host ({self.host}), since the backend "
                "reaches a database at no other address: set cidr to its network's range or "
                f"{self.host}/32"
            )
        return self

    @model_validator(mode="after")
    def _verifies_with_a_bundle(self) -> Self:
        if self.ca_bundle is not None:
            # Here and not at the field, whose errors show the value: it might be a private key.
            check_bundle(self.ca_bundle)
        if self.ssl_mode == "verify-ca" and self.ca_bundle is None:
            raise ValueError(
                "expected caBundle with sslMode verify-ca: anybody can have a certificate of a "
                "public authority; give the provider's, or use verify-full"
            )
        if self.ssl_mode == "require" and self.ca_bundle is not None:
            raise ValueError(
                "expected sslMode verify-full with caBundle: require looks at no certificate"
            )
        return self


Database = Annotated[
    InClusterDatabase | OperatorDatabase | ExternalDatabase, Field(discriminator="mode")
]


def store_secrets(database: Database) -> tuple[SecretDescription, ...]:
    """Returns what is needed to write to the database's object store; nothing where it has none."""
    match database:
        case InClusterDatabase(backup=BackupSettings(destination=S3Destination())):
            return STORE_SECRETS
        case OperatorDatabase(backup=ContinuousBackupSettings()):
            # Barman encrypts nothing itself.
            return (OBJECT_STORE_KEY_ID, OBJECT_STORE_SECRET)
        case InClusterDatabase() | OperatorDatabase() | ExternalDatabase():
            return ()
        case _:
            assert_never(database)
