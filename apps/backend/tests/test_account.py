"""Signing up, in and out; session tokens and their rotation."""

import secrets
import time

import argon2
import pytest
from fastapi.testclient import TestClient

from todo_backend import passwords
from todo_backend.sessions import COOKIE
from todo_backend.settings import Settings

from .conftest import PASSWORD, REAL_HASHER, new_user
from .postgres import External


def credentials(password: str = PASSWORD) -> dict[str, str]:
    return {"email": f"{secrets.token_hex(6)}@example.com", "password": password}


def test_cookie_session(anonymous: TestClient) -> None:
    who = credentials()
    answer = anonymous.post("/api/auth/sign-up", json=who)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie
    assert anonymous.get("/api/me").json()["email"] == who["email"]
    anonymous.post("/api/auth/sign-out")
    assert COOKIE not in anonymous.cookies
    assert anonymous.get("/api/me").status_code == 401
    again = anonymous.post(
        "/api/auth/sign-in",
        json=who | {"email": f" {who['email'].upper()} "},
        headers={"x-forwarded-proto": "https"},
    )
    assert again.status_code == 200
    assert "Secure" in again.headers["set-cookie"]


def test_a_session_in_use_is_renewed(
    anonymous: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    anonymous.post("/api/auth/sign-up", json=credentials())
    assert "set-cookie" not in anonymous.get("/api/me").headers
    now = time.time()
    monkeypatch.setattr("todo_backend.sessions.time.time", lambda: now + 31 * 60)
    assert COOKIE in anonymous.get("/api/todos").headers["set-cookie"]


def test_repeating_sign_up_signs_in(anonymous: TestClient) -> None:
    who = credentials()
    first, second = (anonymous.post("/api/auth/sign-up", json=who) for _ in range(2))
    assert first.json()["id"] == second.json()["id"]
    stolen = anonymous.post("/api/auth/sign-up", json=who | {"password": "another password"})
    assert stolen.status_code == 409


def test_unknown_user_and_wrong_password_are_answered_alike(
    anonymous: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = credentials()
    anonymous.post("/api/auth/sign-up", json=who)
    # All that takes long enough to be told apart by is what passwords are compared by.
    compared: list[argon2.Parameters] = []
    matches = passwords._matches

    def counted(stored: str, password: str) -> bool:
        compared.append(argon2.extract_parameters(stored))
        return matches(stored, password)

    monkeypatch.setattr(passwords, "_matches", counted)

    def attempt(email: str) -> tuple[int, str, list[argon2.Parameters]]:
        compared.clear()
        body = {"email": email, "password": "wrong password"}
        answer = anonymous.post("/api/auth/sign-in", json=body)
        return answer.status_code, answer.text, [*compared]

    known, unknown = attempt(who["email"]), attempt(credentials()["email"])
    assert known == unknown
    assert known[0] == 401
    assert known[2]


def test_a_stolen_hash_costs_a_guess_what_owasp_asks_for(
    anonymous: TestClient, settings: Settings, server: External, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "_HASHER", REAL_HASHER)
    who = credentials()
    anonymous.post("/api/auth/sign-up", json=who)
    with server.connect(settings.database_name) as admin:
        query = "SELECT password_hash FROM users WHERE email = %s"
        (stored,) = admin.execute(query, [who["email"]]).fetchone() or ("",)
    cost = argon2.extract_parameters(stored)
    assert cost.type is argon2.Type.ID
    assert cost.memory_cost >= 19 * 1024
    assert cost.time_cost >= 2


def test_sign_in_is_rate_limited(anonymous: TestClient, settings: Settings) -> None:
    who = credentials()
    tries = 2 * settings.sign_in_attempts_per_minute + 1  # a new minute may begin in between
    answers = [anonymous.post("/api/auth/sign-in", json=who) for _ in range(tries)]
    assert {answer.status_code for answer in answers} == {401, 429}
    assert answers[-1].headers["retry-after"]


def test_key_rotation(anonymous: TestClient, settings: Settings) -> None:
    old, new = settings.jwt_key_file.read_text(), secrets.token_hex(32)
    session = new_user(anonymous)

    def status() -> int:
        return anonymous.get("/api/me", headers=session).status_code

    settings.jwt_key_file.write_text(new)
    assert status() == 401
    # A process that signs with the old key accepts sessions of one that signs with the new key.
    settings.jwt_next_key_file.write_text(old)
    assert status() == 200
    settings.jwt_next_key_file.unlink()
    settings.jwt_previous_key_file.write_text(old)
    assert status() == 200
    settings.jwt_previous_key_file.write_text("\n")
    assert status() == 401
    settings.jwt_key_file.write_text("short")
    assert status() == 503
    assert anonymous.get("/ready").status_code == 503


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b.c",
        "ÿ",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiIwIiwiaWF0IjowLCJleHAiOjk5OTk5OTk5OTl9.",
    ],
)
def test_made_up_tokens(anonymous: TestClient, token: str) -> None:
    header = {"Authorization": f"Bearer {token}".encode("latin-1")}
    assert anonymous.get("/api/me", headers=header).status_code == 401
    assert anonymous.get("/api/todos", headers=header).status_code == 401
