"""The application through both node ports: guessing, locking out, signing out, leaving."""

import time
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from tests.e2e.asking import PATIENCE_SECONDS, ask
from tests.e2e.deployment import Deployment

_MOST_GUESSES = 10
_SECONDS_TO_ANOTHER = 60


@pytest.fixture(params=["frontend", "backend"])
def client(request: pytest.FixtureRequest, deployment: Deployment) -> Iterator[httpx.Client]:
    """A browser of its own, which keeps its cookies, at each of the two addresses."""
    with httpx.Client(
        base_url=getattr(deployment, request.param), timeout=PATIENCE_SECONDS
    ) as browser:
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
    return ask(
        "POST",
        f"{client.base_url}/api/auth/sign-in",
        json={"email": email, "password": f"wrong password {number}"},
        headers={"x-forwarded-for": f"198.51.100.{number}"},
    ).status_code


def _guess_until_limited(client: httpx.Client, email: str) -> None:
    """Guesses until the limit holds, which is when it has to, and stays so with other headers."""
    begun = time.monotonic()
    statuses = list[int]()
    while statuses.count(429) < 4:
        statuses.append(_guess(client, email, len(statuses)))
        # A machine that is slow at looking at passwords gets one more guess each minute.
        most = _MOST_GUESSES + int((time.monotonic() - begun) / _SECONDS_TO_ANOTHER) + 1
        assert set(statuses) <= {401, 429}, statuses
        assert statuses.count(401) <= most, statuses
    assert statuses[:_MOST_GUESSES] == [401] * _MOST_GUESSES


def test_no_header_moves_the_limit_on_guesses(client: httpx.Client) -> None:
    _guess_until_limited(client, f"{uuid4().hex}@example.org")


def test_strangers_do_not_lock_the_owner_out(client: httpx.Client, account: dict[str, str]) -> None:
    client.post("/api/auth/sign-out")
    _guess_until_limited(client, account["email"])
    assert client.post("/api/auth/sign-in", json=account).status_code == 200


@pytest.mark.usefixtures("account")
def test_a_copied_cookie_ends_with_its_session(client: httpx.Client) -> None:
    copy = client.cookies["todo_session"]
    url = f"{client.base_url}/api/me"
    assert ask("GET", url, cookies={"todo_session": copy}).status_code == 200
    assert client.post("/api/auth/sign-out").status_code == 204
    assert ask("GET", url, cookies={"todo_session": copy}).status_code == 401


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
    assert ask("GET", f"{deployment.backend}/metrics").status_code == 404
