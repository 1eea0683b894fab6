"""Todos: what one can do with one's own, and nothing with anybody else's."""

import uuid
from typing import Any

import pytest
from fastapi.testclient import TestClient

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
    assert add(client, "first", id=own) == add(client, "second", id=own)
    assert titles(client) == ["first"]


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
    ],
)
def test_everything_needs_signing_in(anonymous: TestClient, method: str, path: str) -> None:
    body = {"title": "x", "message": "x"} if method in ("POST", "PATCH") else None
    assert anonymous.request(method, path, json=body).status_code == 401
