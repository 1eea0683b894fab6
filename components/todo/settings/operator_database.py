"""The settings of a database that the CloudNativePG operator looks after."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from components.todo.settings.drill import DrillSettings
from components.todo.settings.storage import StorageSettings
from components.values.cron import CronSchedule
from components.values.names import DnsLabel
from components.values.object_store import ObjectStore
from components.values.postgres.cluster import (
    CLUSTER_IMAGE,
    MOST_INSTANCES,
    OPERATOR_NAMESPACE,
    ClusterImage,
    ContinuousBackup,
)
from components.values.postgres.names import DatabaseName, RoleName
from components.values.postgres.sizes import SERVER_RESOURCES
from components.values.quantities import quantity_value
from components.values.resources import Resources
from components.values.text import Between
from components.values.value import Value

_MEBIBYTE = 1024**2


class ContinuousBackupSettings(Value):
    """Base backups and the write-ahead log in an object store: recovery to any moment between."""

    object_store: ObjectStore
    schedule: CronSchedule = Field(
        default=ContinuousBackup.schedule, description="Of base backups; the log follows by itself"
    )
    keep_days: Annotated[int, Between(1, 3650)] = Field(
        default=ContinuousBackup.keep_days,
        description="To moments of how many days one can go back",
    )
    drill: DrillSettings | None = Field(
        default=None,
        description="Recovers the newest on a server of its own, in UTC; null: no schedule",
    )


class OperatorDatabase(Value):
    """PostgreSQL by the CloudNativePG operator: failover, recovery to a moment."""

    mode: Literal["operator"]
    image: ClusterImage = CLUSTER_IMAGE
    name: DatabaseName = "todo"
    user: RoleName = Field(default="todo", description="The application's role, no superuser")
    instances: Annotated[int, Between(1, MOST_INSTANCES)] = Field(
        default=1, description="One is written to; another takes its place when it fails"
    )
    synchronous: bool = Field(
        default=False,
        strict=True,
        description="true: a commit waits until a second instance has it, so none is lost with the "
        "first; of 2 instances each is needed to write, so 3 are better",
    )
    storage: StorageSettings = Field(
        default=StorageSettings(), description="Of each instance; it may grow"
    )
    resources: Resources = Field(default=SERVER_RESOURCES, description="Of each instance")
    backup: ContinuousBackupSettings | None = Field(default=None, description="null: no backups")
    operator_namespace: DnsLabel = Field(
        default=OPERATOR_NAMESPACE,
        description="Where the operator is, e.g. cnpg-system where its own manifest installed it",
    )

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        # An empty server takes 40 MB and its log at least 128 MB, besides what standbys need.
        if quantity_value(self.storage.size) < 512 * _MEBIBYTE:
            raise ValueError(f"expected storage.size ({self.storage.size}) of at least 512Mi")
        return self

    @model_validator(mode="after")
    def _is_followed(self) -> Self:
        if self.synchronous and self.instances < 2:
            raise ValueError(
                "expected instances of 2 or 3 with synchronous true: with one there is no second "
                "that a commit could wait for"
            )
        return self

    @field_validator("name", "user")
    @classmethod
    def _is_the_applications_own(cls, value: str) -> str:
        # PostgreSQL's own, and the role with which standbys follow.
        if value in ("postgres", "streaming_replica"):
            raise ValueError("expected another name: the server has one of its own with this")
        return value

    @field_validator("user")
    @classmethod
    def _is_not_the_operators(cls, value: str) -> str:
        # cnpg_metrics_exporter, cnpg_pooler_pgbouncer: it makes them, and says what they may do.
        if value.startswith("cnpg_"):
            raise ValueError("expected another name: those with cnpg_ are the operator's roles")
        return value
