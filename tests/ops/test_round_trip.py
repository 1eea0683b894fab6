"""The round trip of `validate` leaves nothing behind, wherever the database is."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from ops import http, round_trip
from ops.facts import Facts
from ops.findings import Finding
from ops.stack import Stack
from tests.ops.stacks import deployed, with_database_outside

URL = "http://todo.test"


class Application:
    """Answers as the frontend does, and remembers the accounts that are there."""

    def __init__(self, deletes_accounts: int = 204, adds_todos: int = 201) -> None:
        self.accounts: dict[str, str] = {}
        self.adds_todos = adds_todos
        self.deletes_accounts = deletes_accounts

    def request(
        self, method: str, url: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> http.Answer:
        match method, url.removeprefix(URL):
            case "POST", "/api/auth/sign-up":
                self.accounts[body["email"]] = body["password"]
                return http.Answer(201, '{"token": "it"}', "application/json")
            case "DELETE", "/api/me":
                assert headers == {"Authorization": "Bearer it"}
                if self.deletes_accounts == 204 and body["password"] in self.accounts.values():
                    self.accounts.clear()
                return http.Answer(self.deletes_accounts, "", "")
            case "DELETE", _:
                return http.Answer(204, "", "")
            case "GET", _:
                return http.Answer(200, '{"title": "ops check"}', "application/json")
            case _:
                return http.Answer(self.adds_todos, "{}", "application/json")


def findings(
    monkeypatch: pytest.MonkeyPatch, application: Application, stack: Stack
) -> list[Finding]:

    def sql(_stack: object, _cluster: object, statement: str) -> str:
        if statement.startswith("DELETE FROM users"):
            application.accounts.clear()
        return "1"

    monkeypatch.setattr(http, "request", application.request)
    monkeypatch.setattr(round_trip, "sql", sql)
    facts = cast("Facts", SimpleNamespace(stack=stack, cluster=SimpleNamespace(namespace="todo")))
    return list(round_trip.round_trip(facts))


def test_with_a_database_outside_the_cluster_no_account_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    application = Application()
    (found,) = findings(monkeypatch, application, with_database_outside())
    assert "removed again" in found.detail
    assert "stays" not in found.detail
    assert not application.accounts


def test_a_release_that_cannot_delete_accounts_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    application = Application(deletes_accounts=405)
    (found,) = findings(monkeypatch, application, with_database_outside())
    assert next(iter(application.accounts)) in found.detail


def test_in_the_cluster_the_database_itself_removes_what_the_application_cannot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    application = Application(deletes_accounts=405)
    (found,) = findings(monkeypatch, application, deployed())
    assert "stays" not in found.detail
    assert not application.accounts


def test_after_a_step_that_failed_no_account_stays_either(monkeypatch: pytest.MonkeyPatch) -> None:
    application = Application(adds_todos=503)
    (found,) = findings(monkeypatch, application, with_database_outside())
    assert "add a todo: HTTP 503" in found.detail
    assert not application.accounts
