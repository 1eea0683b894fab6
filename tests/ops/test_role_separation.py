"""Roles on a real server: what a new volume gets, and how an old one comes to the same."""

import subprocess
from collections.abc import Iterator
from typing import Any, cast

import pytest

from components.postgres import PostgresStatefulSet, PostgresStatefulSetArgs
from ops import database
from ops.checks import Facts, roles
from ops.findings import Finding
from ops.role_separation import RoleSeparation
from tests.ops.stacks import with_database
from tests.postgres_server import AVAILABLE, PASSWORD, Server, server
from tests.recording import record

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="needs the programs of a PostgreSQL server")

STACK = with_database(user="todo")
TABLE = """
CREATE TYPE mood AS ENUM ('good');
CREATE TABLE todos (id serial PRIMARY KEY, title text, mood mood);
CREATE VIEW titles AS SELECT title FROM todos;
CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';
INSERT INTO todos (title) VALUES ('kept');
"""


@pytest.fixture
def old() -> Iterator[Server]:
    """A volume of an earlier version, with what a restore has left in it."""
    with server("todo") as found:
        for name in ("todo", "todo_before_restore"):
            found.sql(f"CREATE DATABASE {name}", user="todo")
            found.sql(TABLE, user="todo", database=name)
        yield found


@pytest.fixture
def new() -> Iterator[Server]:
    """A volume as the image and the component's script make it."""

    def program() -> None:
        args = PostgresStatefulSetArgs(namespace="x", password="p", database="todo", user="todo")
        PostgresStatefulSet("postgres", args)

    scripts = record(program).one("ConfigMap").inputs["data"]
    with server("postgres") as found:
        found.sql("CREATE DATABASE todo", user="postgres")
        env = {"POSTGRES_USER": "postgres", "POSTGRES_DB": "todo", "APPLICATION_USER": "todo"}
        for script in scripts.values():
            subprocess.run(["sh", "-c", script], env=found.environment | env, check=True)
        yield found


def separation(found: Server) -> RoleSeparation:
    return RoleSeparation(STACK, cast("Any", found))


def finding(found: Server) -> Finding:
    (result,) = roles(Facts(STACK, cast("Any", found)))
    return result


def assert_the_application_may_use_its_database_and_nothing_else(found: Server) -> None:
    assert found.accepts("todo", PASSWORD, "todo")
    assert not found.accepts("postgres", PASSWORD, "postgres")
    assert (
        found.sql(
            "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = 'todo'", user="postgres"
        )
        == "f"
    )
    found.sql("CREATE TABLE more (id int); DROP TABLE more", user="todo", database="todo")
    found.sql("CREATE DATABASE todo_restored TEMPLATE template0", user="todo")
    found.sql("ALTER DATABASE todo_restored RENAME TO todo_other", user="todo")
    found.sql("DROP DATABASE todo_other WITH (FORCE)", user="todo")
    assert finding(found).state == "ok"


def test_a_new_volume_has_an_application_role_without_special_rights(new: Server) -> None:
    assert_the_application_may_use_its_database_and_nothing_else(new)
    assert separation(new).complete()


def test_an_old_volume_is_left_as_it_is_until_somebody_asks(old: Server) -> None:
    assert old.accepts("todo", PASSWORD, "todo")
    assert not separation(old).complete()
    assert finding(old).state == "warning"
    assert finding(old).command == "python -m ops separate-roles"


def test_separating_the_roles_keeps_password_and_data(old: Server) -> None:
    old.sql('CREATE DATABASE "with a space"', user="todo")
    separation(old).separate(None)
    assert separation(old).complete()
    assert_the_application_may_use_its_database_and_nothing_else(old)
    for name in ("todo", "todo_before_restore"):
        assert old.sql("SELECT title FROM titles", user="todo", database=name) == "kept"
        old.sql(
            "ALTER TABLE todos ADD done boolean; INSERT INTO todos (title) VALUES ('new');"
            "ALTER TYPE mood ADD VALUE 'bad'; DROP FUNCTION one(); DROP VIEW titles",
            user="todo",
            database=name,
        )


def test_what_is_written_by_open_connections_meanwhile_is_the_applications_too(
    old: Server,
) -> None:
    command = ["psql", "-XAtq", "-U", "todo", "-d", "todo"]
    with subprocess.Popen(
        command, env=old.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as session:
        assert session.stdin
        assert session.stdout
        session.stdin.write("SELECT current_user;\n")
        session.stdin.flush()
        assert session.stdout.readline() == "todo\n"
        separation(old).separate(None)
        session.stdin.write("INSERT INTO todos (title) VALUES ('meanwhile') RETURNING title;\n")
        session.stdin.close()
        assert session.stdout.read() == "meanwhile\n"


@pytest.mark.parametrize("step", range(7, 13))
def test_a_separation_that_was_cut_off_goes_on(
    old: Server, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, calls = old.run, 0

    def cut_off(*arguments: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == step:
            raise KeyboardInterrupt
        return run(*arguments, **more)

    monkeypatch.setattr(old, "run", cut_off)
    with pytest.raises(KeyboardInterrupt):
        separation(old).separate(None)
    monkeypatch.undo()
    separation(old).separate(None)
    assert separation(old).complete()
    assert_the_application_may_use_its_database_and_nothing_else(old)


def test_a_role_that_a_cut_off_start_did_not_make_is_made(new: Server) -> None:
    new.sql("ALTER DATABASE todo OWNER TO postgres; DROP ROLE todo", user="postgres")
    assert finding(new).state == "warning"
    separation(new).separate(PASSWORD)
    assert_the_application_may_use_its_database_and_nothing_else(new)


def test_operations_have_a_connection_when_the_application_has_all_others(new: Server) -> None:
    new.sql("ALTER SYSTEM SET max_connections = 10", user="postgres")
    new.restart()
    sleepers = [
        subprocess.Popen(
            ["psql", "-XAtq", "-U", "todo", "-d", "todo", "-c", "SELECT pg_sleep(3600)"],
            env=new.environment,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(12)
    ]
    try:
        new.wait_until_full("todo")
        answer = database.sql(STACK, cast("Any", new), "SELECT session_user, current_user;")
        assert answer == "postgres|todo\n"
    finally:
        for sleeper in sleepers:
            sleeper.kill()
            sleeper.wait()


def test_what_operations_make_belongs_to_the_application(new: Server) -> None:
    database.sql(STACK, cast("Any", new), "CREATE TABLE made (id int);")
    owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'made'"
    assert new.sql(owner, user="todo", database="todo") == "todo"
