"""Whatever is sent, the answer is a 4xx with one clear message, never a server error."""

from collections.abc import Iterator
from typing import Any

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
        (422, b"{"),
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
    assert answer.status_code == 422


schema = schemathesis.openapi.from_dict(create_app().openapi())


@pytest.mark.parametrize(
    "operation", [o.ok() for o in schema.get_all_operations()], ids=lambda o: o.label
)
def test_no_generated_request_causes_a_server_error(live: str, operation: Any) -> None:
    with httpx.Client(base_url=live) as client:
        session = new_user(client)

    @limits(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        answer = case.call(base_url=live, headers=session)
        case.validate_response(answer, checks=[not_a_server_error])

    send()
