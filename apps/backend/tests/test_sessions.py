"""How sessions end, and what protects an account."""

import asyncio
import secrets
import time
import unicodedata
from collections.abc import Callable
from uuid import UUID

import httpx
import jwt
import pytest
from fastapi.testclient import TestClient

from todo_backend import accounts
from todo_backend.attempts import DEVICE_COOKIE
from todo_backend.database import Database
from todo_backend.models import User
from todo_backend.passwords import _HASHER
from todo_backend.routes import account
from todo_backend.sessions import ALGORITHM, COOKIE
from todo_backend.settings import Settings

from .conftest import PASSWORD
from .postgres import External


def sign_up(client: TestClient, **changes: str) -> dict[str, str]:
    who = {"email": f"{secrets.token_hex(6)}@example.com", "password": PASSWORD} | changes
    answer = client.post("/api/auth/sign-up", json=who)
    assert answer.status_code == 201, answer.text
    client.cookies.clear()
    return who | answer.json()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def sign_in(client: TestClient, who: dict[str, str], password: str | None = None) -> str:
    body = {"email": who["email"], "password": password or who["password"]}
    answer = client.post("/api/auth/sign-in", json=body)
    assert answer.status_code == 200, answer.text
    client.cookies.clear()
    return answer.json()["token"]


def works(client: TestClient, token: str) -> bool:
    status = client.get("/api/me", headers=bearer(token)).status_code
    assert status in (200, 401)
    return status == 200


def of_the_release_before(settings: Settings, user_id: str, ago: int = 0) -> str:
    now = int(time.time()) - ago
    claims = {"sub": user_id, "iat": now, "exp": now + 3600}
    return jwt.encode(claims, settings.jwt_key_file.read_text(), ALGORITHM)


def test_signing_out_ends_every_copy_of_the_session_and_no_other(anonymous: TestClient) -> None:
    who = sign_up(anonymous)
    other = sign_in(anonymous, who)
    anonymous.cookies.set(COOKIE, who["token"])
    assert anonymous.post("/api/auth/sign-out").status_code == 204
    anonymous.cookies.clear()
    assert not works(anonymous, who["token"])
    assert anonymous.get("/api/todos", headers=bearer(who["token"])).status_code == 401
    assert works(anonymous, other)


def test_a_renewed_token_is_of_the_same_session(
    anonymous: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = sign_up(anonymous)
    now = time.time()
    monkeypatch.setattr("todo_backend.sessions.time.time", lambda: now + 31 * 60)
    anonymous.cookies.set(COOKIE, who["token"])
    renewed = anonymous.get("/api/me").cookies[COOKIE]
    assert renewed != who["token"]
    anonymous.cookies.clear()
    anonymous.post("/api/auth/sign-out", headers=bearer(who["token"]))
    assert not works(anonymous, renewed)


def test_signing_out_needs_no_session(anonymous: TestClient) -> None:
    for token in ("", "nonsense"):
        answer = anonymous.post("/api/auth/sign-out", headers=bearer(token))
        assert answer.status_code == 204


def test_no_session_outlives_its_last_day(
    anonymous: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = sign_up(anonymous)["token"]
    begun = time.time()
    for days in range(1, settings.session_days + 1):
        # Used so often that it is renewed all the time: here, by hand.
        claims = jwt.decode(token, options={"verify_signature": False})
        claims |= {"iat": int(begun + days * 86400) - 3000, "exp": int(begun + days * 86400) + 600}
        token = jwt.encode(claims, settings.jwt_key_file.read_text(), ALGORITHM)
    monkeypatch.setattr(
        "todo_backend.sessions.time.time", lambda: begun + settings.session_days * 86400 + 1
    )
    anonymous.cookies.set(COOKIE, token)
    assert anonymous.get("/api/me").status_code == 401


def test_sessions_of_the_release_before_go_on_and_can_be_ended(
    anonymous: TestClient, settings: Settings
) -> None:
    who = sign_up(anonymous)
    old = of_the_release_before(settings, who["id"])
    older = of_the_release_before(settings, who["id"], ago=100)
    assert works(anonymous, old)
    anonymous.post("/api/auth/sign-out", headers=bearer(old))
    assert not works(anonymous, old)
    assert works(anonymous, older)
    anonymous.post("/api/me/end-other-sessions", headers=bearer(who["token"]))
    assert not works(anonymous, older)


@pytest.mark.parametrize(("ahead", "accepted"), [(0, True), (25, True), (300, False)])
def test_clocks_may_differ_a_little(
    anonymous: TestClient, settings: Settings, ahead: int, accepted: bool
) -> None:
    who = sign_up(anonymous)
    assert works(anonymous, of_the_release_before(settings, who["id"], ago=-ahead)) is accepted


def test_a_new_password_ends_all_other_sessions(anonymous: TestClient) -> None:
    who = sign_up(anonymous)
    other = sign_in(anonymous, who)
    body = {"current_password": PASSWORD, "new_password": "another good password"}
    answer = anonymous.post("/api/me/password", json=body, headers=bearer(who["token"]))
    anonymous.cookies.clear()
    assert answer.status_code == 200
    assert works(anonymous, answer.json()["token"])
    assert not works(anonymous, who["token"])
    assert not works(anonymous, other)
    assert sign_in(anonymous, who, "another good password")
    old = {"email": who["email"], "password": PASSWORD}
    assert anonymous.post("/api/auth/sign-in", json=old).status_code == 401


def test_ending_other_sessions_keeps_this_one(anonymous: TestClient) -> None:
    who = sign_up(anonymous)
    other = sign_in(anonymous, who)
    answer = anonymous.post("/api/me/end-other-sessions", headers=bearer(who["token"]))
    assert answer.status_code == 200
    assert COOKIE in answer.cookies
    anonymous.cookies.clear()
    assert works(anonymous, answer.json()["token"])
    assert not works(anonymous, other)


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Returns what lets something happen once, after the next request has looked at its account."""
    looked_up = account._user

    def once(happen: Callable[[], object]) -> None:
        async def look_up(database: Database, user_id: UUID) -> User:
            user = await looked_up(database, user_id)
            monkeypatch.setattr(account, "_user", looked_up)
            await asyncio.to_thread(happen)
            return user

        monkeypatch.setattr(account, "_user", look_up)

    return once


def end_others(client: TestClient, token: str) -> httpx.Response:
    answer = client.post("/api/me/end-other-sessions", headers=bearer(token))
    client.cookies.clear()
    return answer


def change_password(client: TestClient, token: str) -> httpx.Response:
    body = {"current_password": PASSWORD, "new_password": "another good password"}
    answer = client.post("/api/me/password", json=body, headers=bearer(token))
    client.cookies.clear()
    return answer


def test_a_session_that_ends_the_others_meanwhile_does_not_survive_a_new_password(
    anonymous: TestClient, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    who = sign_up(anonymous)
    stolen: list[str] = []
    meanwhile(lambda: stolen.append(end_others(anonymous, who["token"]).json()["token"]))
    answer = change_password(anonymous, who["token"])
    assert answer.status_code == 200
    assert works(anonymous, answer.json()["token"])
    assert not works(anonymous, stolen[0])


def test_a_new_password_meanwhile_ends_also_the_session_that_ends_the_others(
    anonymous: TestClient, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    who = sign_up(anonymous)
    changed: list[str] = []
    meanwhile(lambda: changed.append(change_password(anonymous, who["token"]).json()["token"]))
    answer = end_others(anonymous, who["token"])
    assert answer.status_code == 401
    assert works(anonymous, changed[0])


def test_of_two_sessions_that_end_each_other_one_survives(
    anonymous: TestClient, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    who = sign_up(anonymous)
    other = sign_in(anonymous, who)
    first: list[str] = []
    meanwhile(lambda: first.append(end_others(anonymous, other).json()["token"]))
    second = end_others(anonymous, who["token"])
    assert second.status_code == 401
    assert works(anonymous, first[0])


def test_a_new_password_is_written_once_also_when_the_first_attempt_was_committed_unseen(
    settings: Settings, anonymous: TestClient
) -> None:
    who = sign_up(anonymous)

    async def twice() -> list[int | None]:
        database = Database(settings)
        user = await database.run(lambda db: db.get_one(User, UUID(who["id"])))
        hashed = _HASHER.hash("another good password")
        found = [
            await database.run(lambda db: accounts.change_password(db, user, hashed))
            for _ in range(2)
        ]
        await database.close()
        return found

    first, second = asyncio.run(twice())
    assert first is not None
    assert first == second


def test_a_stolen_session_cannot_keep_its_owner_out(anonymous: TestClient) -> None:
    who = sign_up(anonymous)
    stolen = sign_in(anonymous, who)
    for _ in range(3):
        stolen = end_others(anonymous, stolen).json()["token"]
    owner = sign_in(anonymous, who)
    refused = end_others(anonymous, stolen)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 1200
    assert works(anonymous, stolen)  # refused, and nobody is signed out by it
    assert works(anonymous, owner)
    assert change_password(anonymous, owner).status_code == 200
    assert not works(anonymous, stolen)


def test_a_stolen_session_guesses_no_password(anonymous: TestClient) -> None:
    who = sign_up(anonymous)
    for path, method, body in (
        ("/api/me/password", "POST", {"current_password": "x", "new_password": "y" * 10}),
        ("/api/me", "DELETE", {"password": "x"}),
    ):
        statuses = [
            anonymous.request(method, path, json=body, headers=bearer(who["token"])).status_code
            for _ in range(6)
        ]
        assert set(statuses) <= {403, 429}
    assert statuses[-1] == 429
    assert works(anonymous, who["token"])


def test_an_account_is_deleted_with_everything_in_it(
    anonymous: TestClient, settings: Settings, server: External
) -> None:
    who = sign_up(anonymous)
    mine = bearer(who["token"])
    anonymous.post("/api/todos", json={"title": "x"}, headers=mine)
    anonymous.post("/api/chat", json={"message": "list"}, headers=mine)
    other = sign_in(anonymous, who)
    anonymous.post("/api/auth/sign-out", headers=bearer(other))
    answer = anonymous.request("DELETE", "/api/me", json={"password": PASSWORD}, headers=mine)
    assert answer.status_code == 204
    assert not works(anonymous, who["token"])
    with server.connect(settings.database_name) as admin:
        for table in ("todos", "messages", "ended_sessions"):
            query = f"SELECT count(*) FROM {table} WHERE user_id = %s"
            assert admin.execute(query, [who["id"]]).fetchone() == (0,)
    assert sign_up(anonymous, email=who["email"])["id"] != who["id"]


def store_as_before(server: External, settings: Settings, email: str, password: str) -> None:
    with server.connect(settings.database_name) as admin:
        admin.execute(
            "INSERT INTO users (id, email, password_hash) VALUES (gen_random_uuid(), %s, %s)",
            [email, _HASHER.hash(password)],
        )


def test_an_address_is_one_account_however_it_is_composed(anonymous: TestClient) -> None:
    name = f"é{secrets.token_hex(6)}ss@example.com"
    who = sign_up(anonymous, email=name)
    for form in ("NFC", "NFD"):
        same = unicodedata.normalize(form, name).upper()
        assert sign_in(anonymous, who | {"email": same})
        body = {"email": same, "password": "another password"}
        assert anonymous.post("/api/auth/sign-up", json=body).status_code == 409


def test_a_password_is_the_same_however_it_is_composed(anonymous: TestClient) -> None:
    password = "pässwörd of ﬁve"
    who = sign_up(anonymous, password=unicodedata.normalize("NFC", password))
    assert sign_in(anonymous, who, unicodedata.normalize("NFD", password))


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accounts_of_the_release_before_sign_in_as_they_did(
    anonymous: TestClient, settings: Settings, server: External, form: str
) -> None:
    email = unicodedata.normalize(form, f"é{secrets.token_hex(6)}@example.com")
    password = unicodedata.normalize(form, "pässwörd of ﬁve")
    store_as_before(server, settings, email, password)
    assert sign_in(anonymous, {"email": email.upper(), "password": password})
    body = {"email": unicodedata.normalize("NFC", email), "password": "another password"}
    assert anonymous.post("/api/auth/sign-up", json=body).status_code == 409


def test_a_browser_known_to_one_of_two_accounts_is_a_stranger_to_the_other(
    anonymous: TestClient, settings: Settings, server: External
) -> None:
    name = f"é{secrets.token_hex(6)}@example.com"
    for form, password in (("NFC", PASSWORD), ("NFD", "another password")):
        store_as_before(server, settings, unicodedata.normalize(form, name), password)

    def attempt(password: str, device: str | None = None) -> httpx.Response:
        anonymous.cookies.clear()
        if device:
            anonymous.cookies.set(DEVICE_COOKIE, device)
        body = {"email": name, "password": password}
        return anonymous.post("/api/auth/sign-in", json=body)

    first, second = attempt(PASSWORD), attempt("another password")
    device = first.cookies[DEVICE_COOKIE]
    assert attempt("another password", device).json()["id"] == second.json()["id"]
    while attempt("wrong").status_code != 429:
        pass
    assert attempt("another password", device).status_code == 429
    assert attempt(PASSWORD, device).json()["id"] == first.json()["id"]


@pytest.mark.parametrize(
    "hidden",
    [
        *("\u200b", "\u202e", "\ufeff", "\x07", "\u2065", "\u034f", "\u115f", "\u1160", "\u17b4"),
        *("\u180b", "\u180f", "\u3164", "\ufe00", "\ufe0f", "\uffa0", "\U000e0100", "\U000e01ef"),
    ],
)
def test_addresses_have_no_invisible_characters(anonymous: TestClient, hidden: str) -> None:
    body = {"email": f"a{hidden}{secrets.token_hex(4)}@example.com", "password": PASSWORD}
    answer = anonymous.post("/api/auth/sign-up", json=body)
    assert answer.status_code == 422
    assert "invisible" in answer.json()["detail"]


def test_accounts_whose_address_has_an_invisible_character_sign_in_as_before(
    anonymous: TestClient, settings: Settings, server: External
) -> None:
    email = f"a\ufe0f{secrets.token_hex(6)}@example.com"
    store_as_before(server, settings, email, PASSWORD)
    assert sign_in(anonymous, {"email": email, "password": PASSWORD})
