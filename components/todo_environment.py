"""The environment variables of the Todo application's backend."""

from collections.abc import Collection

from components.postgres_pod import PASSWORD_KEY
from components.settings import Settings
from components.todo_ports import BACKEND_METRICS_PORT, database_port
from components.todo_secrets import CHAT_API_KEY, JWT_KEY, JWT_NEXT_KEY, JWT_PREVIOUS_KEY, PATH

_SECRET_FILES = {
    "DATABASE_PASSWORD_FILE": PASSWORD_KEY,
    "JWT_KEY_FILE": JWT_KEY,
    "JWT_NEXT_KEY_FILE": JWT_NEXT_KEY,
    "JWT_PREVIOUS_KEY_FILE": JWT_PREVIOUS_KEY,
    "CHAT_API_KEY_FILE": CHAT_API_KEY,
}


def backend_environment(
    settings: Settings, database_host: str, secret_keys: Collection[str]
) -> dict[str, str]:
    """Returns the backend's variables: plain values, and where each secret's file is.

    Args:
        settings: The stack's settings.
        database_host: Where the database answers.
        secret_keys: Names of the secret files that are there.
    """
    database, chat = settings.database, settings.backend.chat
    variables = {
        "DATABASE_HOST": database_host,
        "DATABASE_PORT": str(database_port(database)),
        "DATABASE_NAME": database.name,
        "DATABASE_USER": database.user,
        # In the cluster only the backend may connect (NetworkPolicy), and passwords are hashed.
        "DATABASE_SSLMODE": database.ssl_mode if database.mode == "external" else "disable",
        "METRICS_PORT": str(BACKEND_METRICS_PORT),
        "LOG_LEVEL": settings.backend.log_level,
    }
    if chat:
        variables |= {"CHAT_BASE_URL": chat.base_url, "CHAT_MODEL": chat.model}
    files = {name: f"{PATH}/{key}" for name, key in _SECRET_FILES.items() if key in secret_keys}
    return variables | files
