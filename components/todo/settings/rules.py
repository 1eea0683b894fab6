"""What holds across blocks of the settings."""

from collections.abc import Mapping
from typing import assert_never

from components.todo.settings.cluster import NAMED_PROVIDERS, ClusterSettings
from components.todo.settings.database import (
    Database,
    ExternalDatabase,
    InClusterDatabase,
    store_secrets,
)
from components.todo.settings.images import (
    BuilderSettings,
    Images,
    LoadedImages,
    PrebuiltImages,
    RegistryImages,
)
from components.todo.settings.operator_database import OperatorDatabase
from components.todo.settings.secrets import ExternalSecrets, GeneratedSecrets, Secrets
from components.values.metrics import Metrics, NoMetrics
from components.values.postgres.connections import pool_size, smallest_memory_limit


def check_images(images: Images, cluster: ClusterSettings) -> None:
    """Refuses what would not bring images into the nodes.

    Raises:
        ValueError: The sentence says what would.
    """
    match images:
        case LoadedImages():
            if cluster.kind != "local":
                raise ValueError(
                    "expected images.mode registry or prebuilt: load works only with cluster.kind "
                    "local"
                )
            _check_exporter(images.builder, cluster)
        case RegistryImages() | PrebuiltImages():
            pass
        case _:
            assert_never(images)


def _check_exporter(builder: BuilderSettings, cluster: ClusterSettings) -> None:
    match builder.exporter:
        case "archive":
            if cluster.provider not in NAMED_PROVIDERS:
                raise ValueError(
                    "expected images.builder.exporter docker or image-store: archive needs "
                    "cluster.provider minikube, kind or k3d, whose tool loads it into the nodes, "
                    f"but that is {cluster.provider}"
                )
        case "docker":
            if builder.name and cluster.provider in ("kind", "k3d"):
                raise ValueError(
                    "expected images.builder.exporter archive with cluster.provider "
                    f"{cluster.provider}, whose nodes have none of the images of a Docker daemon"
                )
        case "image-store":
            pass
        case _:
            assert_never(builder.exporter)


def check_database(database: Database, secrets: Secrets, metrics: Metrics, clients: int) -> None:
    """Refuses a database without a password, or without a connection for each pod.

    Also an exporter of its metrics where there are to be none.

    Args:
        database: The database.
        secrets: Where its password is.
        metrics: How metrics are found.
        clients: The largest number of pods with connections to it.

    Raises:
        ValueError: The sentence says what would do.
    """
    match database:
        case ExternalDatabase():
            if not isinstance(secrets, ExternalSecrets):
                raise ValueError(
                    "expected secrets.mode external: an external database's password is a "
                    "reference (secrets.keys.databasePassword)"
                )
        case OperatorDatabase() as it:
            _check_connections(it.resources.memory_limit, clients)
        case InClusterDatabase() as it:
            if it.exporter and isinstance(metrics, NoMetrics):
                raise ValueError(
                    "expected metrics.mode annotations or serviceMonitor with database.exporter: "
                    "nobody would ask it"
                )
            _check_connections(it.resources.memory_limit, clients)
        case _:
            assert_never(database)


def check_object_store(database: Database, secrets: Secrets) -> None:
    """Refuses an object store whose credentials an external secret store is not asked for.

    Raises:
        ValueError: The sentence says which are missing.
    """
    match secrets:
        case ExternalSecrets(keys=keys):
            given = keys.model_dump()
            missing = [it.name for it in store_secrets(database) if not given[it.field]]
            if missing:
                raise ValueError(
                    f"expected secrets.keys.{', '.join(missing)} with an object store: where the "
                    "secret store has its credentials and the key of the backups"
                )
        case GeneratedSecrets():
            pass
        case _:
            assert_never(secrets)


def _check_connections(memory_limit: str, clients: int) -> None:
    if pool_size(clients, memory_limit) < 1:
        raise ValueError(
            f"expected database.resources.memoryLimit ({memory_limit}) of at least "
            f"{smallest_memory_limit(clients)} for up to {clients} backend pods: "
            "a connection takes 3 MiB, and each pod needs one"
        )


def refuse_equal(what: str, values: Mapping[str, object]) -> None:
    """Refuses what two services both have.

    Args:
        what: What must be different.
        values: Service to its value; None: it has none.

    Raises:
        ValueError: Two have the same.
    """
    owners: dict[object, str] = {}
    for service, value in values.items():
        if value is None:
            continue
        if value in owners:
            raise ValueError(
                f"expected two different {what}, but {service} and {owners[value]} both use {value}"
            )
        owners[value] = service
