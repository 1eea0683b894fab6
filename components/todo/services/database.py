"""The database: a PostgreSQL server of the stack, or one that somebody else runs."""

from collections.abc import Mapping
from typing import assert_never

from components.app.args import CONFIG_PATH
from components.postgres.certificate import CLIENT_MODE
from components.todo.service import ExternalService, PostgresClusterService, PostgresService
from components.todo.settings.database import ExternalDatabase, InClusterDatabase
from components.todo.settings.operator_database import OperatorDatabase
from components.todo.settings.settings import Settings
from components.values.postgres.connections import POOL, pool_size

NAME = "database"
STATEFUL_SET = "postgres"
"""Name of the objects of a server in a StatefulSet."""
CLUSTER = "postgres-cluster"
"""Name of the objects of an operator's servers: who moves to them has both for a while."""
_CA_FILE = "database-ca.pem"


def database(settings: Settings) -> PostgresService | PostgresClusterService | ExternalService:
    """Returns the description of the database."""
    match settings.database:
        case InClusterDatabase() as it:
            return PostgresService(
                name=NAME, object_name=STATEFUL_SET, settings=it, local_port=5432
            )
        case OperatorDatabase() as it:
            return PostgresClusterService(
                name=NAME, object_name=CLUSTER, settings=it, local_port=5432
            )
        case ExternalDatabase() as it:
            return ExternalService(name=NAME, host=it.host, port=it.port, cidr=it.cidr)
        case _:
            assert_never(settings.database)


def database_environment(settings: Settings) -> Mapping[str, str]:
    """Returns the variables by which a service finds the database."""
    server = database(settings)
    return {
        "DATABASE_HOST": server.host,
        "DATABASE_PORT": str(server.port),
        "DATABASE_NAME": settings.database.name,
        "DATABASE_USER": settings.database.user,
        **_connection(settings),
    }


def database_files(settings: Settings) -> Mapping[str, str]:
    """Returns the files that a service needs for it: its certificate authorities, if any."""
    match settings.database:
        case ExternalDatabase(ca_bundle=str() as bundle):
            return {_CA_FILE: bundle}
        case InClusterDatabase() | OperatorDatabase() | ExternalDatabase():
            return {}
        case _:
            assert_never(settings.database)


def _connection(settings: Settings) -> Mapping[str, str]:
    match settings.database:
        case InClusterDatabase() | OperatorDatabase() as it:
            size = pool_size(settings.database_clients, it.resources.memory_limit)
            return {
                "DATABASE_SSLMODE": CLIENT_MODE,
                "DATABASE_CHANNEL_BINDING": CLIENT_MODE,
                "DATABASE_POOL_SIZE": str(size),
            }
        case ExternalDatabase() as it:
            bundle = {"DATABASE_SSLROOTCERT": f"{CONFIG_PATH}/{_CA_FILE}"}
            return {
                "DATABASE_SSLMODE": it.ssl_mode,
                "DATABASE_POOL_SIZE": str(POOL),
                "DATABASE_POOLER": "true" if it.pooler else "false",
                **(bundle if it.ca_bundle else {}),
            }
        case _:
            assert_never(settings.database)
