"""Fixtures: a database, the application's settings, clients and signed-in users."""

import itertools
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import argon2
import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from todo_backend import migrate, passwords
from todo_backend import server as server_module
from todo_backend.app import create_app
from todo_backend.server import create_server
from todo_backend.settings import Settings, get_settings

from .postgres import External, Throwaway, obtain

PASSWORD = "correct horse battery"
REAL_HASHER = passwords._HASHER
_numbers = itertools.count()


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Compares passwords at the least cost there is; the tests sign up some five hundred times."""
    with pytest.MonkeyPatch.context() as patch:
        cheap = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(passwords, "_HASHER", cheap)
        yield


@pytest.fixture(scope="session")
def server() -> Iterator[External]:
    found = obtain()
    if found is None:
        pytest.skip("no PostgreSQL: set TEST_DATABASE_URL or install the postgresql package")
    yield found
    found.close()


@pytest.fixture
def own_server(server: External) -> Throwaway:
    if not isinstance(server, Throwaway):
        pytest.skip("the server in TEST_DATABASE_URL cannot be restarted")
    return server


def environment(server: External, database: str, folder: Path) -> dict[str, str]:
    (folder / "database-password").write_text(f"{server.parameters.get('password', '')}\n")
    (folder / "jwt-key").write_text(secrets.token_hex(32))
    return {
        "DATABASE_HOST": server.parameters["host"],
        "DATABASE_PORT": str(server.parameters.get("port", 5432)),
        "DATABASE_NAME": database,
        "DATABASE_USER": server.parameters["user"],
        "DATABASE_SSLMODE": server.parameters.get("sslmode", "prefer"),
        "DATABASE_PASSWORD_FILE": str(folder / "database-password"),
        # A database that answers late on a busy machine is no outage.
        "DATABASE_WAIT_SECONDS": "60",
        "JWT_KEY_FILE": str(folder / "jwt-key"),
        "JWT_NEXT_KEY_FILE": str(folder / "jwt-next-key"),
        "JWT_PREVIOUS_KEY_FILE": str(folder / "jwt-previous-key"),
        "SIGN_IN_ATTEMPTS_PER_MINUTE_PER_ADDRESS": "1000000",
        "SIGN_UPS_PER_HOUR_PER_ADDRESS": "1000000",
        "TODO_CHANGES_PER_MINUTE": "1000000",
        "CHAT_MESSAGES_PER_MINUTE": "1000000",
    }


@pytest.fixture(scope="session")
def migrated(server: External, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    name = server.create_database()
    with pytest.MonkeyPatch.context() as patch:
        for key, value in environment(server, name, tmp_path_factory.mktemp("s")).items():
            patch.setenv(key, value)
        migrate.upgrade(Settings())
    yield name
    server.drop_database(name)


@pytest.fixture
def settings(
    server: External, migrated: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    for key, value in environment(server, migrated, tmp_path).items():
        monkeypatch.setenv(key, value)
    get_settings.cache_clear()
    yield get_settings()
    get_settings.cache_clear()


@pytest.fixture
def empty(server: External, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Returns settings for a database without any tables."""
    name = server.create_database()
    for key, value in environment(server, name, tmp_path).items():
        monkeypatch.setenv(key, value)
    get_settings.cache_clear()
    yield get_settings()
    get_settings.cache_clear()
    server.drop_database(name)


@pytest.fixture(scope="session")
def app() -> FastAPI:
    """Returns the application; all that it keeps is made anew by whoever starts it."""
    return create_app()


@pytest.fixture
def anonymous(app: FastAPI, settings: Settings) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def new_user(client: httpx.Client) -> dict[str, str]:
    """Signs somebody up; returns the headers that sign requests in."""
    email = f"user-{next(_numbers)}-{secrets.token_hex(4)}@example.com"
    answer = client.post("/api/auth/sign-up", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    client.cookies.clear()
    return {"Authorization": f"Bearer {answer.json()['token']}"}


@pytest.fixture
def client(anonymous: TestClient) -> TestClient:
    anonymous.headers.update(new_user(anonymous))
    return anonymous


def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets servers stop without the moment in which they serve those who do not know yet."""
    monkeypatch.setattr(server_module, "_LAST_CALL_SECONDS", 0)


@pytest.fixture
def live(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serves the application with uvicorn, as in the container; returns its address."""
    service = create_server(create_app(), settings, host="127.0.0.1", port=0)
    thread = threading.Thread(target=service.run)
    thread.start()
    wait_until(lambda: service.started)
    yield f"http://127.0.0.1:{service.servers[0].sockets[0].getsockname()[1]}"
    at_once(monkeypatch)
    service.should_exit = True
    thread.join()


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)
