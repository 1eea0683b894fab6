"""Todos: what one can do with one's own, and nothing with anybody else's."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient

from todo_backend.app import create_app
from todo_backend.settings import Settings, get_settings

from .conftest import new_user


def add(client: TestClient, title: str = "x", **more: Any) -> dict[str, Any]:
    answer = client.post("/api/todos", json={"title": title, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def titles(client: TestClient, **query: Any) -> list[str]:
    answer = client.get("/api/todos", params=query)
    assert answer.status_code == 200, answer.text
    return [todo["title"] for todo in answer.json()["items"]]


def test_life_of_a_todo(client: TestClient) -> None:
    todo = add(client, "buy milk", priority="high", due_date="2026-01-31")
    path = f"/api/todos/{todo['id']}"
    changed = client.patch(path, json={"done": True, "due_date": None}).json()
    assert (changed["done"], changed["due_date"], changed["priority"]) == (True, None, "high")
    assert client.get(path).json() == changed
    assert client.delete(path).status_code == 204
    assert client.delete(path).status_code == 404
    assert client.get(path).status_code == 404


def test_search_filter_order_and_paging(client: TestClient) -> None:
    add(client, "a 100%", due_date="2026-02-01")
    add(client, "b_c", done=True)
    add(client, "Käse", priority="high", due_date="2026-01-01")
    assert titles(client) == ["Käse", "a 100%", "b_c"]
    assert titles(client, search="%") == ["a 100%"]
    assert titles(client, search="_") == ["b_c"]
    assert titles(client, search="kä") == ["Käse"]
    assert titles(client, done=True) == ["b_c"]
    assert titles(client, priority="high") == ["Käse"]
    assert titles(client, due_before="2026-01-01") == ["Käse"]
    assert titles(client, order="created") == ["Käse", "b_c", "a 100%"]
    page = client.get("/api/todos", params={"limit": 1, "offset": 1}).json()
    assert (page["total"], [todo["title"] for todo in page["items"]]) == (3, ["a 100%"])


def test_adding_twice_with_one_id_adds_once(client: TestClient) -> None:
    own = str(uuid.uuid4())
    assert add(client, "first", id=own) == add(client, "first", id=own)
    assert titles(client) == ["first"]


@pytest.mark.parametrize("change", [{"title": "bread"}, {"due_date": "2026-01-31"}])
def test_another_todo_with_an_id_in_use_is_not_swallowed(
    client: TestClient, change: dict[str, str]
) -> None:
    own = str(uuid.uuid4())
    add(client, "milk", id=own)
    answer = client.post("/api/todos", json={"id": own, "title": "milk"} | change)
    assert answer.status_code == 409
    assert "id" in answer.json()["detail"]
    assert titles(client) == ["milk"]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[TestClient]:
    """Returns somebody who may have three todos and two messages."""
    monkeypatch.setenv("TODOS_PER_USER", "3")
    monkeypatch.setenv("MESSAGES_PER_USER", "2")
    get_settings.cache_clear()
    with TestClient(create_app(), raise_server_exceptions=False) as client:
        client.headers.update(new_user(client))
        yield client


def test_nobody_fills_the_database(small: TestClient) -> None:
    own = str(uuid.uuid4())
    add(small, "first", id=own)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: small.post("/api/todos", json={"title": "x"}), range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] * 2 + [409] * 6
    refusal = next(answer for answer in answers if answer.status_code == 409)
    assert "3 todos are the most" in refusal.json()["detail"]
    add(small, "first", id=own)  # a request that is repeated is still answered
    assert "full" in small.post("/api/chat", json={"message": "add one more"}).text
    assert len(titles(small)) == 3
    small.delete(f"/api/todos/{own}")
    add(small, "there is room again")


def test_conversations_are_limited_too(small: TestClient) -> None:
    talk = str(uuid.uuid4())
    statuses = [
        small.post("/api/chat", json={"message": "list", "conversation_id": talk}).status_code
        for _ in range(3)
    ]
    assert statuses == [200, 200, 409]
    small.delete(f"/api/chat/conversations/{talk}")
    assert small.post("/api/chat", json={"message": "list"}).status_code == 200


def test_changes_are_limited_per_user(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setenv("TODO_CHANGES_PER_MINUTE", "3")
    get_settings.cache_clear()
    with TestClient(create_app(), raise_server_exceptions=False) as client:
        one, other = new_user(client), new_user(client)
        path = f"/api/todos/{uuid.uuid4()}"
        assert client.post("/api/todos", json={"title": "x"}, headers=one).status_code == 201
        assert client.patch(path, json={"done": True}, headers=one).status_code == 404
        assert client.delete(path, headers=one).status_code == 404
        answer = client.post("/api/todos", json={"title": "x"}, headers=one)
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "20"
        assert client.get("/api/todos", headers=one).status_code == 200
        assert client.post("/api/todos", json={"title": "x"}, headers=other).status_code == 201


@pytest.mark.parametrize(
    "title",
    [
        "🏠👩‍👩‍👧",
        "שלום עולם ‮abc",
        "<script>alert(1)</script>",
        "'; DROP TABLE todos;--",
        " a\tb\n",
        "e\u0301 é",
    ],
)
def test_titles_come_back_unchanged(client: TestClient, title: str) -> None:
    todo = add(client, title)
    assert client.get(f"/api/todos/{todo['id']}").json()["title"] == title


def test_nobody_reaches_anybody_elses(client: TestClient) -> None:
    todo = add(client, "mine")
    path = f"/api/todos/{todo['id']}"
    talk = str(uuid.uuid4())
    client.post("/api/chat", json={"message": "list", "conversation_id": talk})
    other = new_user(client)
    assert client.get("/api/todos", headers=other).json()["total"] == 0
    assert client.get(path, headers=other).status_code == 404
    assert client.patch(path, json={"title": "stolen"}, headers=other).status_code == 404
    assert client.delete(path, headers=other).status_code == 404
    taken = client.post("/api/todos", json={"id": todo["id"], "title": "theirs"}, headers=other)
    assert taken.status_code == 201  # ids are per user: it is another todo
    for message in ("list all", "complete mine", "delete mine"):
        client.post("/api/chat", json={"message": message}, headers=other)
    conversation = f"/api/chat/conversations/{talk}"
    assert client.get(conversation, headers=other).status_code == 404
    client.delete(conversation, headers=other)
    assert client.get(path).json() == todo
    assert len(client.get(conversation).json()) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/me"),
        ("GET", "/api/todos"),
        ("POST", "/api/todos"),
        ("GET", f"/api/todos/{uuid.uuid4()}"),
        ("PATCH", f"/api/todos/{uuid.uuid4()}"),
        ("DELETE", f"/api/todos/{uuid.uuid4()}"),
        ("POST", "/api/chat"),
        ("GET", "/api/chat/conversations"),
        ("GET", f"/api/chat/conversations/{uuid.uuid4()}"),
        ("DELETE", f"/api/chat/conversations/{uuid.uuid4()}"),
        ("POST", "/api/me/password"),
        ("POST", "/api/me/end-other-sessions"),
        ("DELETE", "/api/me"),
    ],
)
def test_everything_needs_signing_in(anonymous: TestClient, method: str, path: str) -> None:
    body = {"title": "x", "message": "x"} if method in ("POST", "PATCH") else None
    assert anonymous.request(method, path, json=body).status_code == 401
