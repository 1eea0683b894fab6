"""The connection pool, and the one way the application runs a transaction."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import structlog
from fastapi import Depends, Request
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from . import metrics
from .connection import (
    URL,
    connect_arguments,
    limit_sessions,
    limit_transactions,
    reason,
    supply_password,
)
from .settings import Settings

T = TypeVar("T")
_TOO_SLOW = "57014"  # query_canceled: the statement timeout
_GRACE_SECONDS = 3.0  # for an answer that is already on its way
log = structlog.get_logger(__name__)


class DatabaseUnavailableError(Exception):
    """The database did not answer within the time one request may wait."""


class Database:
    """Runs units of work, each in one transaction, through short database outages."""

    def __init__(self, settings: Settings) -> None:
        self._wait = settings.database_wait_seconds
        self._tasks: set[asyncio.Task[Any]] = set()
        self.engine: AsyncEngine = create_async_engine(
            URL,
            connect_args=connect_arguments(settings)
            | ({} if settings.database_pooler else limit_sessions()),
            pool_size=settings.database_pool_size,
            max_overflow=0,
            pool_timeout=self._wait,
            pool_recycle=600,
        )
        supply_password(self.engine.sync_engine, settings)
        if settings.database_pooler:
            limit_transactions(self.engine.sync_engine)
        self._session = async_sessionmaker(self.engine, expire_on_commit=False)

    async def run(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Runs ``work`` in a transaction and returns its result once it is committed.

        When the connection breaks, ``work`` runs again, also when it broke during COMMIT and
        nobody can tell whether that happened. So ``work`` must be repeatable: inserts use an
        id chosen beforehand with ON CONFLICT DO NOTHING; updates and deletes name their row.
        """
        # A task of its own: a connection to a frozen server also takes long to give up.
        task = asyncio.create_task(self._attempts(work))
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        await asyncio.wait({task}, timeout=self._wait + _GRACE_SECONDS)
        if task.done():
            return task.result()
        task.cancel()
        raise self._unavailable("no answer")

    async def _attempts(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        deadline = time.monotonic() + self._wait
        pause = 0.1
        while True:
            try:
                async with self._session() as session, session.begin():
                    return await work(session)
            except IntegrityError:
                raise
            except (DBAPIError, PoolTimeoutError, OSError) as error:
                if getattr(getattr(error, "orig", None), "sqlstate", None) == _TOO_SLOW:
                    # No outage: the same again would only cost everybody as much once more.
                    raise self._unavailable("statement timeout") from error
                if time.monotonic() + pause > deadline:
                    raise self._unavailable(reason(error)) from error
                metrics.DATABASE_RETRIES.inc()
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311
                pause = min(pause * 2, 1.0)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, so that asyncio does not complain

    @staticmethod
    def _unavailable(reason: str) -> DatabaseUnavailableError:
        metrics.DATABASE_UNAVAILABLE.inc()
        log.warning("database_unavailable", reason=reason)
        return DatabaseUnavailableError(reason)

    async def close(self) -> None:
        """Closes every pooled connection."""
        await self.engine.dispose()


def get_database(request: Request) -> Database:
    """Returns the application's database (a FastAPI dependency)."""
    database: Database = request.app.state.database
    return database


Db = Annotated[Database, Depends(get_database)]
