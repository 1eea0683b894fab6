"""The ports of the Todo application's parts."""

from components.postgres.pod import PORT
from components.todo.settings.database import Database

BACKEND_PORT = 8000
BACKEND_METRICS_PORT = 9000  # not in the Service, so not on a node port either
FRONTEND_PORT = 3000


def database_port(database: Database) -> int:
    """Returns the port the database listens on."""
    return database.port if database.mode == "external" else PORT
