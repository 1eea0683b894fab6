"""Requests that go on while something is done to the stack, and must all be answered."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx

from tests.e2e.asking import PATIENCE_SECONDS, ask
from tests.e2e.deployment import Deployment

_MOST_TODOS = 4000


class Traffic(threading.Thread):
    """Reads from both services and adds todos through both, on and on, and keeps what failed.

    Every request has a connection of its own, as from many clients, and the session of an account
    that is made when the traffic begins.
    """

    def __init__(self, deployment: Deployment) -> None:
        super().__init__(daemon=True)
        self.done, self.failures, self.sent, self.added = threading.Event(), list[str](), 0, 0
        self._counting = threading.Lock()
        self._client = httpx.Client(
            timeout=PATIENCE_SECONDS, limits=httpx.Limits(max_keepalive_connections=0)
        )
        self.frontend, self.backend = deployment.frontend, deployment.backend
        self.account = {"email": f"{uuid4().hex}@example.org", "password": uuid4().hex}
        answer = ask("POST", f"{self.frontend}/api/auth/sign-up", json=self.account)
        assert answer.status_code == 201, f"sign up: {answer.status_code} {answer.text}"
        self.headers = {"Authorization": f"Bearer {answer.json()['token']}"}
        self._begun = time.monotonic()

    def run(self) -> None:
        while not self.done.wait(0.2):  # a round of five
            self._ask("GET", f"{self.frontend}/api/health")
            self._ask("GET", f"{self.backend}/api/todos?limit=1")
            self._ask("GET", f"{self.backend}/api/me")
            self._add(f"{self.frontend}/api/todos")
            self._add(f"{self.backend}/api/todos")

    def stored(self) -> int:
        """Returns the number of this account's todos."""
        url = f"{self.frontend}/api/todos"
        found = ask("GET", url, headers=self.headers, params={"limit": 1})
        assert found.status_code == 200, f"read todos: {found.status_code} {found.text}"
        return found.json()["total"]

    def assert_unharmed(self) -> None:
        """No request failed, and what was acknowledged is stored."""
        failed = len(self.failures)
        few = "\n".join(self.failures[:5] + self.failures[5:][-5:])
        assert not failed, f"{failed} of {self.sent} failed, at first and at last:\n{few}"
        assert self.sent >= 2 * 5, "there was hardly a request while it was done"
        assert self.stored() == self.added

    def assert_nothing_lost(self) -> None:
        """What was acknowledged is stored, and else only what was, but could not be answered."""
        unanswered = sum(it.startswith("POST") for it in self.failures)
        assert self.added <= self.stored() <= self.added + unanswered

    def _add(self, url: str) -> None:
        # An account's list holds no more than 5,000, which a slow machine has the time for.
        if self._ask("POST" if self.added < _MOST_TODOS else "GET", url):
            with self._counting:
                self.added += 1

    def _ask(self, method: str, url: str) -> bool:
        with self._counting:
            self.sent += 1
        body = {"title": f"Todo {self.sent}"} if method == "POST" else None
        asked = time.monotonic()
        try:
            answer = self._client.request(method, url, json=body, headers=self.headers)
        except httpx.HTTPError as error:
            self._failed(method, url, asked, repr(error))
            return False
        if answer.status_code not in {200, 201}:
            self._failed(method, url, asked, f"{answer.status_code} {answer.text[:80]}")
        return answer.status_code == 201

    def _failed(self, method: str, url: str, asked: float, what: str) -> None:
        """Keeps what failed, and when, to be held against what was done then."""
        at, took = asked - self._begun, time.monotonic() - asked
        self.failures.append(f"{method} {url}: {what} (after {took:.1f} s, asked at {at:.1f} s)")

    def __enter__(self) -> "Traffic":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.join()
        self._client.close()


class OpenLoop(Traffic):
    """The same requests, one every 100 ms whether or not those before it are answered.

    What hangs holds nothing up, so there are as many requests while it hangs as before.
    """

    def run(self) -> None:
        turns = [
            lambda: self._ask("GET", f"{self.frontend}/api/health"),
            lambda: self._add(f"{self.frontend}/api/todos"),
            lambda: self._ask("GET", f"{self.backend}/api/todos?limit=1"),
            lambda: self._add(f"{self.backend}/api/todos"),
            lambda: self._ask("GET", f"{self.backend}/api/me"),
        ]
        due = time.monotonic()
        with ThreadPoolExecutor(64) as clients:
            for turn in itertools.cycle(turns):
                if self.done.wait(max(0.0, due - time.monotonic())):
                    return
                clients.submit(turn)
                due += 0.1
