"""Whatever is sent, the answer is a 4xx with one clear message, never a server error."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from schemathesis.checks import not_a_server_error

from todo_backend.app import create_app

from .conftest import new_user

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (422, b""),
        (400, b"{"),
        (422, b"[]"),
        (422, b"null"),
        (422, b'{"title": null}'),
        (422, b'{"title": ""}'),
        (422, b'{"title": " \\n"}'),
        (422, b'{"title": "a\\u0000b"}'),
        (422, b'{"title": "\\ud800"}'),
        (422, b'{"title": ["x"]}'),
        (422, b'{"title": "x", "due_date": "2026-02-30"}'),
        (422, b'{"title": "x", "priority": "urgent"}'),
        (422, b'{"title": "x", "id": "1"}'),
        (422, b'{"title": "' + b"x" * 501 + b'"}'),
        (422, b'{"\\ud800": NaN}'),
        (400, b'{"title": "\xff"}'),
        (400, b"[" * 60_000),
        (413, b'{"title": "' + b"x" * 70_000 + b'"}'),
    ],
)
def test_bodies(client: TestClient, status: int, body: bytes) -> None:
    answer = client.post("/api/todos", content=body, headers=JSON)
    assert answer.status_code == status, answer.text
    assert isinstance(answer.json()["detail"], str)


def test_a_long_body_of_unknown_length(client: TestClient) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(100):
            yield b" " * 1024

    assert client.post("/api/todos", content=chunks(), headers=JSON).status_code == 413


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/todos", "search=%00"),
        ("/api/todos", "search=%ff&limit=0"),
        ("/api/todos", "offset=99999999999999999999"),
        ("/api/todos", "offset=-1"),
        ("/api/todos", "due_before=tomorrow"),
        ("/api/todos/not-an-id", ""),
        ("/api/todos/%00", ""),
    ],
)
def test_queries_and_paths(client: TestClient, path: str, query: str) -> None:
    answer = client.get(f"{path}?{query}")
    assert answer.status_code == 422
    assert isinstance(answer.json()["detail"], str)


@pytest.mark.parametrize(
    "body",
    [
        {"email": "a@b.c\x00", "password": "long enough password"},
        {"email": "not an address", "password": "long enough password"},
        {"email": "a@example.com", "password": "long enough\x00"},
        {"email": "a@example.com", "password": "short"},
        {"email": "a@example.com", "password": "x" * 257},
        {"email": ["a@example.com"], "password": {}},
    ],
)
def test_credentials(anonymous: TestClient, body: dict[str, Any]) -> None:
    answer = anonymous.post("/api/auth/sign-up", json=body)
    assert answer.status_code == 422
    assert "enough" not in answer.text  # the answer never repeats a password


def test_forms_from_other_sites_are_not_taken_for_json(client: TestClient) -> None:
    answer = client.post(
        "/api/todos", content=b'{"title": "x"}', headers={"content-type": "text/plain"}
    )
    assert answer.status_code == 415
    assert "application/json" in answer.json()["detail"]


def test_bad_json_is_always_told_in_the_same_words(client: TestClient) -> None:
    bodies = (b"{", b'{"title": "\xff"}', b"[" * 60_000, b"1" * 6000)
    answers = [client.post("/api/todos", content=body, headers=JSON) for body in bodies]
    assert {(a.status_code, a.json()["detail"]) for a in answers} == {
        (400, "The request body is not valid JSON.")
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("done", "yes"),
        ("done", 1),
        ("due_date", 0),
        ("due_date", 1769817600),
        ("due_date", "2026-01-31T00:00:00+14:00"),
        ("due_date", "20260-01-31"),
        ("due_date", True),
    ],
)
def test_only_what_is_described_is_taken(client: TestClient, field: str, value: Any) -> None:
    answer = client.post("/api/todos", json={"title": "x", field: value})
    assert answer.status_code == 422
    assert field in answer.json()["detail"]


@pytest.mark.parametrize("query", ["due_before=0", "done=yes", "done=1", "due_before=2026-1-1"])
def test_only_what_is_described_is_asked_for(client: TestClient, query: str) -> None:
    assert client.get(f"/api/todos?{query}").status_code == 422


def test_lengths_are_told_in_characters(client: TestClient) -> None:
    for title in ("x" * 501, ""):
        assert "character" in client.post("/api/todos", json={"title": title}).json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/todos", "GET, HEAD, POST"),
        ("PROPFIND", "/api/todos", "GET, HEAD, POST"),
        ("POST", f"/api/todos/{uuid4()}", "DELETE, GET, HEAD, PATCH"),
        ("HEAD", "/api/auth/sign-in", "POST"),
        ("OPTIONS", "/api/me", "DELETE, GET, HEAD"),
    ],
)
def test_other_methods_are_refused_by_naming_those_there_are(
    client: TestClient, method: str, path: str, allowed: str
) -> None:
    answer = client.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    if method != "HEAD":
        assert isinstance(answer.json()["detail"], str)


def test_the_description_names_the_ways_to_sign_in(client: TestClient) -> None:
    described = client.get("/api/openapi.json").json()
    assert set(described["components"]["securitySchemes"]) == {"cookie", "bearer"}
    assert described["paths"]["/api/todos"]["get"]["security"]
    assert "security" not in described["paths"]["/api/auth/sign-in"]["post"]


schema = schemathesis.openapi.from_dict(create_app().openapi())


@pytest.mark.parametrize(
    "operation", [o.ok() for o in schema.get_all_operations()], ids=lambda o: o.label
)
def test_no_generated_request_causes_a_server_error(live: str, operation: Any) -> None:
    with httpx.Client(base_url=live, timeout=60) as client:
        session = new_user(client)

    @limits(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        answer = case.call(base_url=live, headers=session)
        case.validate_response(answer, checks=[not_a_server_error])

    send()
