"""The schema: up, down, twice at once, and next to other releases."""

import subprocess
import sys
import time

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import DBAPIError

from todo_backend import migrate, schema
from todo_backend.app import create_app
from todo_backend.connection import URL, connect_arguments
from todo_backend.models import Base
from todo_backend.settings import Settings, get_settings

from .postgres import External


def test_up_down_up_and_equal_to_the_models(empty: Settings) -> None:
    migrate.upgrade(empty)
    engine = create_engine(make_url(URL), connect_args=connect_arguments(empty))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
        config = schema.alembic_config()
        config.attributes["connection"] = connection
        connection.rollback()
        command.downgrade(config, "base")
        connection.commit()
        assert connection.exec_driver_sql("SELECT to_regclass('users')").scalar() is None
    engine.dispose()
    migrate.upgrade(empty)


def test_two_replicas_migrate_at_once(empty: Settings) -> None:
    command_line = [sys.executable, "-m", "todo_backend.migrate"]
    both = [
        subprocess.Popen(command_line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(2)
    ]
    output = [process.communicate(timeout=600)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], output
    assert sum(text.count("Running upgrade") for text in output) == len(schema.known_revisions())


def test_a_replica_waits_while_another_migrates(empty: Settings, server: External) -> None:
    with server.connect(empty.database_name) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [migrate.LOCK])
        with pytest.raises(TimeoutError, match="another replica is migrating"):
            migrate.upgrade(empty, wait_seconds=1)
    migrate.upgrade(empty, wait_seconds=120)


def test_waits_for_the_database_but_not_forever(empty: Settings) -> None:
    nowhere = empty.model_copy(update={"database_port": 1})
    with pytest.raises(TimeoutError, match="gave up"):
        migrate.upgrade(nowhere, wait_seconds=1)


def test_a_migration_that_hangs_on_a_database_in_use_lets_go_of_its_tables(
    empty: Settings, server: External, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(config: Config, _: str) -> None:
        connection = config.attributes["connection"]
        connection.exec_driver_sql("ALTER TABLE todos ADD COLUMN colour text")
        connection.exec_driver_sql("SELECT pg_sleep(3600)")

    migrate.upgrade(empty)
    monkeypatch.setattr(command, "upgrade", hang)
    with pytest.raises(DBAPIError, match="statement timeout"):
        migrate.upgrade(empty)
    with server.connect(empty.database_name) as other:
        assert other.execute("SELECT count(*) FROM todos").fetchone() == (0,)


def test_a_migration_whose_session_was_ended_for_idling_is_tried_again(
    empty: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = command.upgrade
    thought = list[str]()

    def think(config: Config, revision: str) -> None:
        if not thought:
            thought.append(revision)
            time.sleep(1.5)  # as when its modules are read by a machine that has no time
        really(config, revision)

    migrate.upgrade(empty)
    monkeypatch.setattr(command, "upgrade", think)
    migrate.upgrade(empty)
    assert thought == ["head"]


def test_readiness_follows_the_schema(empty: Settings, server: External) -> None:
    assert empty is get_settings()
    with TestClient(create_app()) as client, server.connect(empty.database_name) as admin:
        assert client.get("/health").status_code == 200
        assert client.get("/ready").status_code == 503
        migrate.upgrade(empty)
        assert client.get("/ready").status_code == 200
        _pretend(admin, "0001")
        assert client.get("/ready").json() == {"status": "schema older"}
        _pretend(admin, "9999")  # a later release has migrated while this one still serves
        assert client.get("/ready").status_code == 200
        migrate.upgrade(empty)  # after rolling back to this release


def _pretend(admin: psycopg.Connection, revision: str) -> None:
    admin.execute("UPDATE alembic_version SET version_num = %s", [revision])
