"""Brings the database to this release's schema: ``python -m todo_backend.migrate``.

Runs before every replica starts, in one transaction: all of it happens or nothing. A PostgreSQL
advisory lock lets one replica migrate while the others wait, then find nothing to do.

Rule for new migrations: expand, then contract. A release only adds (tables, nullable columns,
indexes); what it no longer uses is removed one release later, when no old replica is left. What
PostgreSQL refuses in a transaction (CREATE INDEX CONCURRENTLY) is no migration, nor is what takes
longer than the running release can wait: its own statements give up after five seconds, and behind
a lock they wait. So on a database in use a migration that waits or hangs is ended before that.
"""

import sys
import time

import structlog
from alembic import command
from alembic.migration import MigrationContext
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from . import logs, schema
from .connection import URL, connect_arguments, reason, supply_password
from .settings import Settings, get_settings

LOCK = 7_302_011  # any constant, the same in every release
_LIMITS = {
    # Whoever comes after one that waits for a table waits as well; it is tried again.
    "lock_timeout": "1s",
    "statement_timeout": "3s",
    # What holds a lock and does nothing is given less than readiness probes wait, which are two
    # seconds: connections run out while requests wait behind the lock.
    "idle_in_transaction_session_timeout": "1s",
}
_TOO_SLOW = "57014"  # query_canceled: the statement timeout
log = structlog.get_logger(__name__)


def upgrade(settings: Settings, wait_seconds: float = 120.0) -> None:
    """Upgrades to head, waiting for the database and for other replicas."""
    engine = create_engine(URL, poolclass=NullPool, connect_args=connect_arguments(settings))
    supply_password(engine, settings)
    deadline = time.monotonic() + wait_seconds
    pause = 0.25
    try:
        while True:
            try:
                with engine.begin() as connection:
                    if _locked(connection):
                        _upgrade(connection)
                        return
                why = "another replica is migrating"
            except DBAPIError as error:
                if not error.connection_invalidated and not _away(error):
                    raise
                why = reason(error)
            if time.monotonic() + pause > deadline:
                raise TimeoutError(f"gave up after {wait_seconds:.0f} s: {why}")
            log.info("migration_waiting", reason=why, next_try_seconds=pause)
            time.sleep(pause)
            pause = min(pause * 2, 5.0)
    finally:
        engine.dispose()


def _away(error: DBAPIError) -> bool:
    """Tells whether the server is starting, stopping, unreachable or refusing (yet)."""
    state = getattr(error.orig, "sqlstate", None)
    if state == _TOO_SLOW:
        return False  # the same again would only hold up the running release once more
    return state is None or state[:2] in ("08", "28", "3D", "53", "55", "57")


def _locked(connection: Connection) -> bool:
    """Tries to take the lock, which lasts as long as the transaction.

    A lock of the session would stay behind in a pooler's server connection.
    """
    return bool(connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": LOCK}))


def _upgrade(connection: Connection) -> None:
    """Runs what is missing, never blocking the running release's queries for long."""
    before = MigrationContext.configure(connection).get_current_revision()
    if schema.state(before) == "newer":
        log.warning("migration_skipped", database=before, reason="a later release was here")
        return
    for name, value in _LIMITS.items() if before else ():  # nobody uses an empty one yet
        connection.execute(text(f"SET LOCAL {name} = '{value}'"))
    config = schema.alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    log.info("migration_done", before=before, now=schema.known_revisions()[0])


def main() -> int:
    """Runs from the command line; the exit status says whether the schema is in place."""
    settings = get_settings()
    logs.configure(settings.log_level)
    try:
        upgrade(settings)
    except Exception:
        log.exception("migration_failed")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
