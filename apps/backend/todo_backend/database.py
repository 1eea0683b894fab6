"""The connection pool, and the one way the application runs a transaction."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import structlog
from fastapi import Depends, Request
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from . import metrics
from .settings import Settings, read_secret

URL = "postgresql+psycopg://"
T = TypeVar("T")
log = structlog.get_logger(__name__)


class DatabaseUnavailableError(Exception):
    """The database did not answer within the time one request may wait."""


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


class Database:
    """Runs units of work, each in one transaction, through short database outages."""

    def __init__(self, settings: Settings) -> None:
        self._wait = settings.database_wait_seconds
        self.engine: AsyncEngine = create_async_engine(
            URL,
            connect_args=connect_arguments(settings)
            | {"options": "-c statement_timeout=5000 -c idle_in_transaction_session_timeout=15000"},
            pool_size=settings.database_pool_size,
            max_overflow=0,
            pool_timeout=self._wait,
            pool_recycle=600,
        )
        supply_password(self.engine.sync_engine, settings)
        self._session = async_sessionmaker(self.engine, expire_on_commit=False)

    async def run(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Run ``work`` in a transaction and return its result once it is committed.

        When the connection breaks, ``work`` runs again, also when it broke during COMMIT and
        nobody can tell whether that happened. So ``work`` must be repeatable: inserts use an
        id chosen beforehand with ON CONFLICT DO NOTHING; updates and deletes name their row.
        """
        deadline = time.monotonic() + self._wait
        pause = 0.1
        while True:
            try:
                async with (
                    asyncio.timeout(deadline - time.monotonic() + 3),
                    self._session() as session,
                    session.begin(),
                ):
                    return await work(session)
            except IntegrityError:
                raise
            except (DBAPIError, PoolTimeoutError, TimeoutError, OSError) as error:
                if time.monotonic() + pause > deadline:
                    metrics.DATABASE_UNAVAILABLE.inc()
                    log.warning("database_unavailable", error=type(error).__name__)
                    raise DatabaseUnavailableError from error
                metrics.DATABASE_RETRIES.inc()
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311
                pause = min(pause * 2, 1.0)

    async def close(self) -> None:
        """Close every pooled connection."""
        await self.engine.dispose()


def get_database(request: Request) -> Database:
    """Return the application's database (a FastAPI dependency)."""
    return request.app.state.database


Db = Annotated[Database, Depends(get_database)]
