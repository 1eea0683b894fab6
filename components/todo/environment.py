"""The environment variables of the Todo application's parts."""

from typing import assert_never

from components.app.args import CONFIG_PATH
from components.postgres.certificate import CLIENT_MODE
from components.postgres.connections import POOL, pool_size
from components.todo.ports import BACKEND_METRICS_PORT, BACKEND_PORT, FRONTEND_PORT, database_port
from components.todo.settings.database import ExternalDatabase, InClusterDatabase
from components.todo.settings.settings import Settings
from components.values.exposure import keep_alive_seconds, trusted_proxies

_CA_FILE = "database-ca.pem"


def backend_environment(settings: Settings, database_host: str) -> dict[str, str]:
    """Returns the backend's variables.

    Args:
        settings: The stack's settings.
        database_host: Where the database answers.
    """
    database, chat = settings.database, settings.backend.chat
    variables = {
        "DATABASE_HOST": database_host,
        "DATABASE_PORT": str(database_port(database)),
        "DATABASE_NAME": database.name,
        "DATABASE_USER": database.user,
        **_connection(settings),
        "METRICS_PORT": str(BACKEND_METRICS_PORT),
        "LOG_LEVEL": settings.backend.log_level,
        # The frontend's pods are believed about whom they ask for.
        "TRUSTED_PROXY_HOST": "frontend-pods",
        "TRUSTED_PROXIES": str(trusted_proxies(settings.backend.exposure)),
        "KEEP_ALIVE_SECONDS": str(keep_alive_seconds(settings.backend.exposure)),
    }
    if chat:
        variables |= {"CHAT_BASE_URL": chat.base_url, "CHAT_MODEL": chat.model}
    return variables


def frontend_environment(settings: Settings) -> dict[str, str]:
    """Returns the frontend's variables."""
    exposure = settings.frontend.exposure
    return {
        "HOSTNAME": "0.0.0.0",  # noqa: S104 - the pod's own address
        "PORT": str(FRONTEND_PORT),
        "BACKEND_URL": f"http://backend:{BACKEND_PORT}",
        "TRUSTED_PROXIES": str(trusted_proxies(exposure)),
        "KEEP_ALIVE_TIMEOUT": str(keep_alive_seconds(exposure) * 1000),
    }


def backend_files(settings: Settings) -> dict[str, str]:
    """Returns the files that are no secrets: the database's certificate authorities, if any."""
    database = settings.database
    if database.mode == "external" and database.ca_bundle:
        return {_CA_FILE: database.ca_bundle}
    return {}


def _connection(settings: Settings) -> dict[str, str]:
    database = settings.database
    match database:
        case InClusterDatabase():
            pods = settings.backend.scaling.most
            return {
                "DATABASE_SSLMODE": CLIENT_MODE,
                "DATABASE_CHANNEL_BINDING": CLIENT_MODE,
                "DATABASE_POOL_SIZE": str(pool_size(pods, database.resources.memory_limit)),
            }
        case ExternalDatabase():
            bundle = {"DATABASE_SSLROOTCERT": f"{CONFIG_PATH}/{_CA_FILE}"}
            return {
                "DATABASE_SSLMODE": database.ssl_mode,
                "DATABASE_POOL_SIZE": str(POOL),
                "DATABASE_POOLER": "true" if database.pooler else "false",
                **(bundle if database.ca_bundle else {}),
            }
        case _:
            assert_never(database)
