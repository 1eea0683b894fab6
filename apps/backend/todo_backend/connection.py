"""How to reach PostgreSQL, for the server and for the migration alike."""

from typing import Any

from sqlalchemy import Engine, event

from .settings import Settings, read_secret

URL = "postgresql+psycopg://"


def connect_arguments(settings: Settings) -> dict[str, Any]:
    """Return what libpq needs, except the password (see supply_password)."""
    return {
        "host": settings.database_host,
        "port": settings.database_port,
        "dbname": settings.database_name,
        "user": settings.database_user,
        "sslmode": settings.database_sslmode,
        "application_name": "todo-backend",
        "connect_timeout": 3,
        # Notice within seconds when the server's machine or network is gone.
        "keepalives_idle": 10,
        "keepalives_interval": 3,
        "keepalives_count": 3,
        "tcp_user_timeout": 5000,
    }


def supply_password(engine: Engine, settings: Settings) -> None:
    """Read the password file for every new connection, so a rotation is picked up."""

    @event.listens_for(engine, "do_connect")
    def _password(_dialect: Any, _record: Any, _args: Any, params: dict[str, Any]) -> None:  # noqa: ANN401
        params["password"] = read_secret(settings.database_password_file)
