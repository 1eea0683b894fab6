"""The application through both node ports: guessing, locking out, signing out, leaving."""

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from tests.e2e.deployment import Deployment

_MOST_GUESSES = 10


@pytest.fixture(params=["frontend", "backend"])
def client(request: pytest.FixtureRequest, deployment: Deployment) -> Iterator[httpx.Client]:
    """A browser of its own, which keeps its cookies, at each of the two addresses."""
    with httpx.Client(base_url=getattr(deployment, request.param), timeout=20) as browser:
        yield browser


@pytest.fixture
def account(client: httpx.Client) -> Iterator[dict[str, str]]:
    """An account that the browser is signed in to, and that is gone afterwards."""
    who = {"email": f"{uuid4().hex}@example.org", "password": uuid4().hex}
    answer = client.post("/api/auth/sign-up", json=who)
    assert answer.status_code == 201, answer.text
    yield who
    client.post("/api/auth/sign-in", json=who)
    client.request("DELETE", "/api/me", json={"password": who["password"]})


def _guess(client: httpx.Client, email: str, number: int) -> int:
    """A stranger guesses, and writes whatever address into the header."""
    return httpx.post(
        f"{client.base_url}/api/auth/sign-in",
        json={"email": email, "password": f"wrong password {number}"},
        headers={"x-forwarded-for": f"198.51.100.{number}"},
        timeout=20,
    ).status_code


def test_no_header_moves_the_limit_on_guesses(client: httpx.Client) -> None:
    nobody = f"{uuid4().hex}@example.org"
    statuses = [_guess(client, nobody, number) for number in range(_MOST_GUESSES + 4)]
    assert statuses == [401] * _MOST_GUESSES + [429] * 4


def test_strangers_do_not_lock_the_owner_out(client: httpx.Client, account: dict[str, str]) -> None:
    client.post("/api/auth/sign-out")
    statuses = [_guess(client, account["email"], number) for number in range(_MOST_GUESSES + 1)]
    assert statuses[-1] == 429
    assert client.post("/api/auth/sign-in", json=account).status_code == 200


@pytest.mark.usefixtures("account")
def test_a_copied_cookie_ends_with_its_session(client: httpx.Client) -> None:
    copy = client.cookies["todo_session"]
    url = f"{client.base_url}/api/me"
    assert httpx.get(url, cookies={"todo_session": copy}, timeout=20).status_code == 200
    assert client.post("/api/auth/sign-out").status_code == 204
    assert httpx.get(url, cookies={"todo_session": copy}, timeout=20).status_code == 401


def test_an_account_is_deleted_with_all_its_data(
    client: httpx.Client, account: dict[str, str]
) -> None:
    assert client.post("/api/todos", json={"title": "Leave"}).status_code == 201
    wrong = client.request("DELETE", "/api/me", json={"password": "not this one"})
    assert wrong.status_code == 403
    gone = client.request("DELETE", "/api/me", json={"password": account["password"]})
    assert gone.status_code == 204
    assert client.get("/api/me").status_code == 401
    assert client.post("/api/auth/sign-in", json=account).status_code == 401
    assert client.post("/api/auth/sign-up", json=account).status_code == 201
    assert client.get("/api/todos").json()["total"] == 0


def test_metrics_are_not_public(deployment: Deployment) -> None:
    assert httpx.get(f"{deployment.backend}/metrics", timeout=20).status_code == 404
