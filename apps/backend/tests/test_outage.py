"""The database goes away and comes back: 503, never 500; nothing is lost or duplicated."""

import asyncio
import itertools
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest
from fastapi.testclient import TestClient
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from todo_backend import migrate
from todo_backend.app import create_app
from todo_backend.database import Database, DatabaseUnavailableError
from todo_backend.settings import Settings, get_settings

from .conftest import new_user, wait_until
from .postgres import External, Throwaway


@pytest.fixture
def settings(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Returns settings by which a request does not wait long for a database."""
    monkeypatch.setenv("DATABASE_WAIT_SECONDS", "2")
    get_settings.cache_clear()
    return get_settings()


def test_503_while_away_then_recovers(client: TestClient, own_server: Throwaway) -> None:
    own_server.stop()
    try:  # it is not started before there is an answer
        answer = client.post("/api/todos", json={"title": "x"})
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert "database" in answer.json()["detail"]
        for path in ("/api/me", "/ready", "/api/chat/conversations"):
            assert client.get(path).status_code == 503
        assert client.get("/health").status_code == 200
    finally:
        own_server.start()
    assert client.get("/ready").status_code == 200
    assert client.post("/api/todos", json={"title": "x"}).status_code == 201


def test_a_request_waits_for_a_short_restart(client: TestClient, own_server: Throwaway) -> None:
    own_server.stop("immediate")
    starting = threading.Timer(0.3, own_server.start)
    starting.start()
    assert client.post("/api/todos", json={"title": "patient"}).status_code == 201
    starting.join()


def test_503_while_the_server_is_frozen(client: TestClient, own_server: Throwaway) -> None:
    assert client.get("/api/me").status_code == 200  # has a connection now
    own_server.freeze(True)
    try:  # nor does it go on before there is one
        assert client.get("/api/me").status_code == 503
    finally:
        own_server.freeze(False)
    assert client.get("/api/me").status_code == 200


def test_a_statement_that_takes_too_long_is_not_tried_again(settings: Settings) -> None:
    async def run() -> int:
        database, tries = Database(settings), 0

        async def slow(session: AsyncSession) -> None:
            nonlocal tries
            tries += 1
            await session.execute(text("SET LOCAL statement_timeout = 50"))
            await session.execute(text("SELECT pg_sleep(5)"))

        with pytest.raises(DatabaseUnavailableError):
            await database.run(slow)
        await database.close()
        return tries

    assert asyncio.run(run()) == 1


def test_nothing_lost_or_duplicated(live: str, own_server: Throwaway) -> None:
    with httpx.Client(base_url=live, timeout=60) as client:
        session = new_user(client)
    stop = threading.Event()
    statuses: set[int] = set()
    acknowledged: list[str] = []

    def write(worker: int) -> None:
        with httpx.Client(base_url=live, headers=session, timeout=60) as client:
            for number in itertools.count():
                if stop.is_set():
                    return
                title = f"{worker}-{number}"
                body = {"id": str(uuid.uuid4()), "title": title}
                status = 503
                while status == 503:
                    status = client.post("/api/todos", json=body).status_code
                    statuses.add(status)
                acknowledged.append(title)

    def go_on_writing() -> None:
        """Waits until some more are acknowledged, however busy the machine is."""
        enough = len(acknowledged) + 10
        wait_until(lambda: len(acknowledged) >= enough)

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, number) for number in range(4)]
        try:
            for mode in ("fast", "immediate"):
                go_on_writing()
                own_server.stop(mode)
                time.sleep(0.3)
                own_server.start()
            go_on_writing()
        finally:
            stop.set()
        for writer in writers:
            writer.result()

    stored: list[str] = []
    with httpx.Client(base_url=live, headers=session, timeout=60) as client:
        while True:
            query = {"limit": 200, "offset": len(stored), "order": "created"}
            page = client.get("/api/todos", params=query).json()
            stored += [todo["title"] for todo in page["items"]]
            if len(stored) >= page["total"]:
                break
    assert sorted(stored) == sorted(acknowledged)
    assert statuses <= {201, 503}


def test_a_rotated_database_password_is_picked_up(
    empty: Settings, server: External, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate.upgrade(empty)
    given: list[str | None] = []
    connect = psycopg.AsyncConnection.connect

    async def spy(*args: object, **options: object) -> psycopg.AsyncConnection:
        given.append(options.get("password"))
        return await connect(*args, **options)

    monkeypatch.setattr(psycopg.AsyncConnection, "connect", spy)
    end_all = sql.SQL(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = {} AND pid <> pg_backend_pid()"
    ).format(sql.Literal(empty.database_name))
    with TestClient(create_app()) as client:
        assert client.get("/ready").status_code == 200
        first = empty.database_password_file.read_text().strip()
        if server.parameters.get("password", "unused") == "unused":  # the server takes any
            empty.database_password_file.write_text("rotated")
        with server.connect() as admin:
            admin.execute(end_all)
        new_user(client)
        second = empty.database_password_file.read_text().strip()
        assert given[0] == (first or None)
        assert given[-1] == (second or None)
