"""Guessing passwords: limited whatever a client claims to be, and never at the owner's expense."""

import secrets
from collections.abc import Callable

import httpx
import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY

from todo_backend import client_address
from todo_backend.app import create_app
from todo_backend.attempts import DEVICE_COOKIE
from todo_backend.settings import Settings, get_settings

from .conftest import PASSWORD

Env = Callable[..., Settings]


@pytest.fixture
def env(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Env:
    """Returns what sets variables for the application that is made next."""

    def change(**variables: object) -> Settings:
        for name, value in variables.items():
            monkeypatch.setenv(name, str(value))
        get_settings.cache_clear()
        return get_settings()

    return change


def peer(address: str) -> TestClient:
    """Returns a client whose connections come from this address."""
    return TestClient(create_app(), client=(address, 50_000), raise_server_exceptions=False)


def email() -> str:
    return f"{secrets.token_hex(6)}@example.com"


def guess(client: TestClient, who: str, password: str = "wrong", forwarded: str = "") -> int:
    headers = {"x-forwarded-for": forwarded} if forwarded else {}
    body = {"email": who, "password": password}
    return client.post("/api/auth/sign-in", json=body, headers=headers).status_code


def test_a_header_that_the_client_writes_moves_no_limit(env: Env) -> None:
    env(TRUSTED_PROXIES=0)
    who = email()
    with peer("203.0.113.9") as client:
        statuses = [guess(client, who, forwarded=f"198.51.100.{n}") for n in range(12)]
    assert statuses == [401] * 10 + [429] * 2


def test_the_proxy_that_is_trusted_tells_clients_apart(env: Env) -> None:
    env(TRUSTED_PROXIES=2)
    who = email()
    with peer("203.0.113.9") as client:
        several = [guess(client, who, forwarded=f"198.51.100.{n},203.0.113.7") for n in range(12)]
        one = [guess(client, email(), forwarded=f"{n}.2.3.4, 192.0.2.1,203.0.113.7") for n in (1,)]
    assert several == [401] * 12
    assert one == [401]


def test_a_chain_longer_than_the_trusted_proxies_is_the_clients_invention(env: Env) -> None:
    env(TRUSTED_PROXIES=1)
    who = email()
    with peer("203.0.113.9") as client:
        statuses = [guess(client, who, forwarded=f"10.0.0.{n}, 198.51.100.1") for n in range(11)]
    assert statuses[-1] == 429


def test_the_frontend_is_believed_and_nobody_else(
    env: Env, monkeypatch: pytest.MonkeyPatch
) -> None:
    env(TRUSTED_PROXIES=0, TRUSTED_PROXY_HOST="localhost")
    who = email()
    with peer("127.0.0.1") as frontend, peer("203.0.113.10") as stranger:
        through = [guess(frontend, who, forwarded=f"198.51.100.{n}") for n in range(12)]
        direct = [guess(stranger, who, forwarded=f"198.51.100.{n}") for n in range(12)]
    assert through == [401] * 12
    assert direct[10:] == [429] * 2


def test_a_proxy_name_that_is_unknown_is_no_proxy(env: Env) -> None:
    env(TRUSTED_PROXY_HOST="frontend-pods.invalid")
    who = email()
    with peer("203.0.113.11") as client:
        statuses = [guess(client, who, forwarded=f"198.51.100.{n}") for n in range(11)]
    assert statuses[-1] == 429


@pytest.mark.parametrize(
    ("entry", "address"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("198.51.100.1:4711", "198.51.100.1"),
        ('"[2001:db8::1]:4711"', "2001:db8::1"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("unknown", None),
        ("", None),
    ],
)
def test_addresses_have_one_form(entry: str, address: str | None) -> None:
    assert client_address._plain(entry) == address


def test_one_ipv6_site_is_one_client(env: Env) -> None:
    env(TRUSTED_PROXIES=1)
    who = email()
    with peer("203.0.113.9") as client:
        statuses = [guess(client, who, forwarded=f"2001:db8:1:2::{n:x}") for n in range(1, 12)]
    assert statuses == [401] * 10 + [429]


def test_an_account_has_a_limit_over_all_addresses(env: Env) -> None:
    env(TRUSTED_PROXIES=1)
    who = email()
    with peer("203.0.113.9") as client:
        statuses = [guess(client, who, forwarded=f"192.0.2.{n}") for n in range(40)]
        other = guess(client, email(), forwarded="192.0.2.1")
    assert statuses[:30] == [401] * 30
    assert set(statuses[31:]) == {429}
    assert other == 401


def test_one_address_cannot_use_up_an_accounts_limit(env: Env) -> None:
    env(TRUSTED_PROXIES=1)
    who = {"email": email(), "password": PASSWORD}
    with peer("203.0.113.9") as client:
        client.post("/api/auth/sign-up", json=who)
        client.cookies.clear()
        for _ in range(40):
            guess(client, who["email"], forwarded="192.0.2.66")
        assert guess(client, who["email"], forwarded="192.0.2.66") == 429
        assert guess(client, who["email"], PASSWORD, forwarded="192.0.2.1") == 200


def test_strangers_never_lock_out_the_owners_browser(env: Env) -> None:
    env(TRUSTED_PROXIES=1)
    who = {"email": email(), "password": PASSWORD}
    with peer("203.0.113.9") as owner, peer("203.0.113.9") as strangers:
        answer = owner.post("/api/auth/sign-up", json=who)
        device = next(c for c in answer.headers.get_list("set-cookie") if DEVICE_COOKIE in c)
        assert "HttpOnly" in device
        assert "SameSite=strict" in device
        owner.post("/api/auth/sign-out")
        for n in range(40):
            guess(strangers, who["email"], forwarded=f"192.0.2.{n}")
        while guess(strangers, who["email"], forwarded="192.0.2.1") != 429:
            pass
        # From the very address that is locked, too.
        assert guess(owner, who["email"], PASSWORD, forwarded="192.0.2.1") == 200


def test_a_stolen_device_cookie_guesses_no_faster(env: Env) -> None:
    env(TRUSTED_PROXIES=1)
    who = {"email": email(), "password": PASSWORD}
    with peer("203.0.113.9") as thief:
        thief.post("/api/auth/sign-up", json=who)
        statuses = [guess(thief, who["email"], forwarded=f"192.0.2.{n}") for n in range(11)]
    assert statuses == [401] * 10 + [429]


@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
def test_device_cookies_do_not_lift_the_limit_of_an_address(env: Env, password: str) -> None:
    env(SIGN_IN_ATTEMPTS_PER_MINUTE_PER_ADDRESS=4)
    with peer(f"2001:db8:{secrets.token_hex(2)}::1") as client:
        accounts = []
        for _ in range(3):
            who = {"email": email(), "password": PASSWORD}
            client.post("/api/auth/sign-up", json=who)
            accounts.append((who["email"], client.cookies[DEVICE_COOKIE]))
            client.cookies.clear()
        statuses = []
        for who, device in accounts * 2:
            client.cookies.set(DEVICE_COOKIE, device)
            statuses.append(guess(client, who, password))
            client.cookies.clear()
    assert set(statuses[:4]) <= {200, 401}
    assert statuses[4:] == [429] * 2


def test_strangers_at_the_same_address_use_up_nothing_of_a_known_browsers(env: Env) -> None:
    env(SIGN_IN_ATTEMPTS_PER_MINUTE_PER_ADDRESS=2)
    who = {"email": email(), "password": PASSWORD}
    address = f"2001:db8:{secrets.token_hex(2)}::1"
    with peer(address) as owner, peer(address) as strangers:
        assert owner.post("/api/auth/sign-up", json=who).status_code == 201
        while guess(strangers, email()) != 429:
            pass
        assert guess(owner, who["email"], PASSWORD) == 200


def test_a_device_cookie_is_no_session(anonymous: TestClient) -> None:
    anonymous.post("/api/auth/sign-up", json={"email": email(), "password": PASSWORD})
    device = anonymous.cookies[DEVICE_COOKIE]
    anonymous.cookies.clear()
    bearer = {"authorization": f"Bearer {device}"}
    assert anonymous.get("/api/me", headers=bearer).status_code == 401


def test_right_passwords_count_as_nothing(anonymous: TestClient) -> None:
    who = {"email": email(), "password": PASSWORD}
    anonymous.post("/api/auth/sign-up", json=who)
    for _ in range(15):
        anonymous.cookies.clear()
        assert anonymous.post("/api/auth/sign-in", json=who).status_code == 200


def test_guessing_through_sign_up_is_guessing(anonymous: TestClient) -> None:
    who = {"email": email(), "password": PASSWORD}
    anonymous.post("/api/auth/sign-up", json=who)
    anonymous.cookies.clear()

    def refused() -> float:
        return REGISTRY.get_sample_value("todo_sign_ins_total", {"result": "refused"}) or 0

    before = refused()
    wrong = who | {"password": "a wrong password"}
    statuses = [anonymous.post("/api/auth/sign-up", json=wrong).status_code for _ in range(11)]
    assert statuses == [409] * 10 + [429]
    assert refused() - before == 10
    assert guess(anonymous, who["email"]) == 429


def test_sign_ups_from_one_address_are_limited(env: Env) -> None:
    env(SIGN_UPS_PER_HOUR_PER_ADDRESS=3)
    with peer("198.51.100.77") as client:
        statuses = [
            client.post(
                "/api/auth/sign-up", json={"email": email(), "password": PASSWORD}
            ).status_code
            for _ in range(4)
        ]
    assert statuses == [201] * 3 + [429]


def test_retry_after_is_true(env: Env) -> None:
    env(SIGN_IN_ATTEMPTS_PER_MINUTE_PER_ADDRESS=60)  # one more each second
    with peer("198.51.100.78") as client:
        answer: httpx.Response | None = None
        while answer is None or answer.status_code == 401:
            body = {"email": email(), "password": "wrong"}
            answer = client.post("/api/auth/sign-in", json=body)
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "1"
        assert "1 second" in answer.json()["detail"]


def test_the_log_tells_attacks_apart_without_naming_anybody(
    env: Env, capsys: pytest.CaptureFixture[str]
) -> None:
    env(TRUSTED_PROXIES=0)
    who = email()
    with peer("203.0.113.99") as client:
        guess(client, who)
    lines = [line for line in capsys.readouterr().out.splitlines() if "sign-in" in line]
    assert "203.0.113.0/24" in lines[-1]
    assert "account=" in lines[-1]
    assert who not in lines[-1]
    assert "203.0.113.99" not in lines[-1]
