"""The typed settings of a stack.

`todo:settings` in `Pulumi.<stack>.yaml` is validated into a `Settings` tree before any resource is
registered; `components/config.py` reads it.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from components.image_settings import Images
from components.postgres_image import DEFAULT_IMAGE
from components.quantities import (
    ByteQuantity,
    Cidr,
    CronSchedule,
    DatabaseName,
    DnsLabel,
    HostName,
    Port,
    PostgresImage,
    RoleName,
)
from components.values import (
    Exposure,
    Fixed,
    Metrics,
    NodePort,
    NoMetrics,
    Resources,
    Scaling,
    Value,
)


class ClusterSettings(Value):
    """Which cluster to deploy to."""

    kind: Literal["local", "managed"] = Field(
        description="local: a development cluster on this machine; managed: any other"
    )
    kubeconfig: str | None = Field(default=None, description="Path; none: the ambient kubeconfig")
    context: str | None = Field(default=None, description="None: the kubeconfig's current context")
    node_address: HostName = Field(
        default="127.0.0.1", description="Address of a node, for the URLs of NodePorts"
    )
    pod_cidr: Cidr | None = Field(
        default=None,
        description="Addresses of pods: what is open to the outside stays closed to other "
        "namespaces; none: it is open to them too",
    )


class NamespaceSettings(Value):
    """The namespace that holds everything."""

    name: DnsLabel = "todo-app"


class GeneratedSecrets(Value):
    """Secrets generated once by `make up` and kept encrypted in the stack's configuration."""

    mode: Literal["generated"] = "generated"


class SecretKeys(Value):
    """Where each secret is in the external store."""

    database_password: str = Field(min_length=1)
    jwt_key: str = Field(min_length=1)
    jwt_next_key: str | None = Field(
        default=None, description="During a rotation: accepted, before it becomes jwtKey"
    )
    jwt_previous_key: str | None = Field(
        default=None, description="During a rotation: accepted, after it was jwtKey"
    )
    chat_api_key: str | None = None


class ExternalSecrets(Value):
    """Secrets that the External Secrets Operator copies from a store."""

    mode: Literal["external"]
    store: HostName
    store_kind: Literal["SecretStore", "ClusterSecretStore"] = "ClusterSecretStore"
    refresh_interval: Annotated[str, Field(pattern=r"^[1-9]\d*(s|m|h)$")] = "1h"
    keys: SecretKeys


Secrets = Annotated[GeneratedSecrets | ExternalSecrets, Field(discriminator="mode")]


class StorageSettings(Value):
    """A volume claim."""

    size: ByteQuantity = "1Gi"
    storage_class: HostName | None = Field(default=None, description="None: the default class")


class BackupSettings(Value):
    """A scheduled pg_dump to a claim of its own."""

    schedule: CronSchedule = "17 3 * * *"
    keep: Annotated[int, Field(ge=1, le=365, strict=True, description="Dumps kept")] = 7
    storage: StorageSettings = StorageSettings()


class InClusterDatabase(Value):
    """PostgreSQL as a StatefulSet of the stack."""

    mode: Literal["inCluster"] = "inCluster"
    image: PostgresImage = DEFAULT_IMAGE
    name: DatabaseName = "todo"
    user: RoleName = Field(default="todo", description="The application's role, no superuser")
    storage: StorageSettings = StorageSettings()
    resources: Resources = Resources(
        cpu_request="250m",
        cpu_limit="1",
        memory_request="256Mi",
        memory_limit="512Mi",
        ephemeral_storage_request="64Mi",
        ephemeral_storage_limit="512Mi",
    )
    backup: BackupSettings | None = Field(default=BackupSettings(), description="null: no backups")

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
    host: HostName
    port: Port = 5432
    name: DatabaseName = "todo"
    user: RoleName = "todo"
    ssl_mode: Literal["require", "verify-ca", "verify-full"] = "require"
    cidr: Cidr = Field(
        default="10.0.0.0/8", description="Addresses the backend may reach the database at"
    )


Database = Annotated[InClusterDatabase | ExternalDatabase, Field(discriminator="mode")]


class FrontendSettings(Value):
    """The Next.js frontend."""

    scaling: Scaling = Fixed()
    resources: Resources = Resources(
        cpu_request="100m", cpu_limit="200m", memory_request="128Mi", memory_limit="256Mi"
    )
    exposure: Exposure = NodePort(port=30000)


class ChatSettings(Value):
    """An OpenAI-compatible chat endpoint; without one the application answers by itself."""

    base_url: Annotated[str, Field(pattern=r"^https?://[^\s]+$")]
    model: str = Field(min_length=1)


class BackendSettings(Value):
    """The FastAPI backend."""

    scaling: Scaling = Fixed()
    resources: Resources = Resources(
        cpu_request="250m", cpu_limit="500m", memory_request="256Mi", memory_limit="512Mi"
    )
    exposure: Exposure = NodePort(port=30001)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    chat: ChatSettings | None = None


class Settings(Value):
    """Everything a stack can choose."""

    environment: Literal["development", "production"] = Field(
        default="production",
        description="production: Pulumi refuses to delete or replace the database (protect)",
    )
    cluster: ClusterSettings
    namespace: NamespaceSettings = NamespaceSettings()
    images: Images
    secrets: Secrets = GeneratedSecrets()
    database: Database = InClusterDatabase()
    backend: BackendSettings = BackendSettings()
    frontend: FrontendSettings = FrontendSettings()
    metrics: Metrics = NoMetrics()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.images.mode == "load" and self.cluster.kind != "local":
            raise ValueError(
                "expected images.mode registry or prebuilt: load works only with cluster.kind local"
            )
        if self.database.mode == "external" and self.secrets.mode != "external":
            raise ValueError(
                "expected secrets.mode external: an external database's password is a reference "
                "(secrets.keys.databasePassword)"
            )
        ports = [
            app.exposure.port
            for app in (self.frontend, self.backend)
            if isinstance(app.exposure, NodePort)
        ]
        if len(ports) != len(set(ports)):
            raise ValueError(
                f"expected two different node ports, but frontend and backend both use {ports[0]}"
            )
        return self
