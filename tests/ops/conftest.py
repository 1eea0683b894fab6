"""A real PostgreSQL for the scripts, and a stack on it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.ops.scratch_server import Deployed, Server, programs


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    found = programs()
    if found is None:
        pytest.skip("no PostgreSQL server programs: install the package postgresql")
    server = Server(found)
    yield server
    server.close()


@pytest.fixture
def deploy(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[Callable[..., Deployed]]:
    """Makes a live database of a given name; its role owns it, and is a superuser if asked."""

    def make(name: str = "todo") -> Deployed:
        rights = "SUPERUSER" if getattr(request, "param", False) else "NOSUPERUSER CREATEDB"
        server.sql(f'CREATE ROLE app LOGIN {rights}; CREATE DATABASE "{name}" OWNER app;')
        columns = "id int PRIMARY KEY, title text, at timestamptz DEFAULT now()"
        server.sql(f"CREATE TABLE todos({columns})", name, "app")
        server.sql("INSERT INTO todos VALUES (1, 'first')", name, "app")
        return Deployed(server, tmp_path, name, monkeypatch)

    yield make
    for name in server.databases():
        server.sql(f'DROP DATABASE "{name}" WITH (FORCE)')
    server.sql("DROP ROLE IF EXISTS app")
