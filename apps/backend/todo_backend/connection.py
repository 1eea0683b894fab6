"""How to reach PostgreSQL, for the server and for the migration alike."""

from typing import Any

import certifi
import psycopg
from sqlalchemy import Connection, Engine, event

from .settings import Settings, read_secret

URL = "postgresql+psycopg://"
_LIMITS = {"statement_timeout": "5000", "idle_in_transaction_session_timeout": "15000"}


def connect_arguments(settings: Settings) -> dict[str, Any]:
    """Returns what libpq needs, except the password (see supply_password)."""
    arguments: dict[str, Any] = {
        "host": settings.database_host,
        "port": settings.database_port,
        "dbname": settings.database_name,
        "user": settings.database_user,
        "sslmode": settings.database_sslmode,
        "channel_binding": settings.database_channel_binding,
        "application_name": "todo-backend",
        "connect_timeout": 3,
        # Notice within seconds when the server's machine or network is gone.
        "keepalives_idle": 10,
        "keepalives_interval": 3,
        "keepalives_count": 3,
        "tcp_user_timeout": 5000,
    }
    if settings.database_sslmode.startswith("verify-"):
        # The wheel's OpenSSL knows no system folder, so the public authorities are a file as well.
        arguments["sslrootcert"] = str(settings.database_sslrootcert or certifi.where())
    if settings.database_pooler:
        # The next transaction may run on another server connection, without what was prepared.
        arguments["prepare_threshold"] = None
    return arguments


def limit_transactions(engine: Engine) -> None:
    """Bounds every transaction by itself: a pooler refuses start-up options, and a plain SET leaks.

    PgBouncer's documentation, "SQL feature map for pooling modes". Costs one round trip.
    """

    @event.listens_for(engine, "begin")
    def _limit(connection: Connection) -> None:
        calls = ", ".join(
            f"set_config('{name}', '{value}', true)" for name, value in _LIMITS.items()
        )
        connection.exec_driver_sql(f"SELECT {calls}")


def limit_sessions() -> dict[str, Any]:
    """Returns what libpq needs to bound every transaction of a connection; costs nothing."""
    return {"options": " ".join(f"-c {name}={value}" for name, value in _LIMITS.items())}


def reason(error: BaseException) -> str:
    """Says in one line why there is no connection; other errors may quote data, so only their kind.

    libpq's own words tell a wrong certificate authority from a wrong host name.
    """
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, psycopg.OperationalError) and cause.sqlstate is None:
        return " ".join(str(cause).split())[:500] or type(cause).__name__
    return type(cause).__name__


def supply_password(engine: Engine, settings: Settings) -> None:
    """Reads the password file for every new connection, so a rotation is picked up."""

    @event.listens_for(engine, "do_connect")
    def _password(_dialect: Any, _record: Any, _args: Any, params: dict[str, Any]) -> None:  # noqa: ANN401
        params["password"] = read_secret(settings.database_password_file)
