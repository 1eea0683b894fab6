"""A pooler in transaction mode between the application and PostgreSQL."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from todo_backend import migrate, schema
from todo_backend.app import create_app
from todo_backend.database import Database
from todo_backend.settings import Settings, get_settings

from . import pooler
from .conftest import new_user, wait_until
from .postgres import External


@pytest.fixture
def pooled(
    empty: Settings, server: External, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """Returns settings for an empty database behind a pooler."""
    program = pooler.program()
    if program is None:
        pytest.skip("no PgBouncer: install the package pgbouncer")
    bouncer = pooler.PgBouncer(program, server)
    try:
        wait_until(bouncer.answers)
        monkeypatch.setenv("DATABASE_HOST", "127.0.0.1")
        monkeypatch.setenv("DATABASE_PORT", str(bouncer.port))
        monkeypatch.setenv("DATABASE_POOLER", "true")
        get_settings.cache_clear()
        yield get_settings()
    finally:
        bouncer.close()


def test_more_clients_than_server_connections_are_served(pooled: Settings) -> None:
    migrate.upgrade(pooled)
    with TestClient(create_app()) as client:
        assert client.get("/ready").status_code == 200
        client.headers.update(new_user(client))

        def write(number: int) -> list[int]:
            # Often enough that psycopg would prepare the statements.
            return [
                client.post("/api/todos", json={"title": f"{number}-{turn}"}).status_code
                for turn in range(8)
            ]

        with ThreadPoolExecutor(pooled.database_pool_size) as workers:
            statuses = [it for done in workers.map(write, range(8)) for it in done]
        assert statuses == [201] * 64
        assert client.get("/api/todos").json()["total"] == 64


def test_two_replicas_migrate_at_once_behind_a_pooler(pooled: Settings) -> None:
    command_line = [sys.executable, "-m", "todo_backend.migrate"]
    both = [
        subprocess.Popen(command_line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(2)
    ]
    output = [process.communicate(timeout=600)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], output
    assert sum(it.count("Running upgrade") for it in output) == len(schema.known_revisions())


def test_a_migration_leaves_no_lock_and_no_setting_in_the_pool(pooled: Settings) -> None:
    migrate.upgrade(pooled)
    settings = f"host=127.0.0.1 port={pooled.database_port} dbname={pooled.database_name}"
    with psycopg.connect(f"{settings} user={pooled.database_user}", autocommit=True) as client:
        locks = client.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert locks.fetchone() == (0,)
        assert client.execute("SHOW lock_timeout").fetchone() == ("0",)


def _shown(settings: Settings, *names: str) -> list[str]:
    """Returns server parameters as one of the application's transactions sees them."""

    async def show() -> list[str]:
        database = Database(settings)

        async def work(session: AsyncSession) -> list[str]:
            return [str(await session.scalar(text(f"SHOW {name}"))) for name in names]

        try:
            return await database.run(work)
        finally:
            await database.close()

    return asyncio.run(show())


def test_transactions_are_bounded_with_and_without_a_pooler(
    pooled: Settings, server: External
) -> None:
    names = ("statement_timeout", "idle_in_transaction_session_timeout")
    direct = pooled.model_copy(
        update={
            "database_host": server.parameters["host"],
            "database_port": int(server.parameters.get("port", 5432)),
            "database_pooler": False,
        }
    )
    assert _shown(pooled, *names) == _shown(direct, *names) == ["5s", "15s"]
    address = f"host=127.0.0.1 port={pooled.database_port} dbname={pooled.database_name}"
    with psycopg.connect(f"{address} user={pooled.database_user}", autocommit=True) as other:
        assert other.execute("SHOW statement_timeout").fetchone() == ("0",)
