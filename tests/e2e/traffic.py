"""Requests that go on while something is done to the stack, and must all be answered."""

import threading
from uuid import uuid4

import httpx

from tests.e2e.deployment import Deployment


class Traffic(threading.Thread):
    """Reads from both services and adds todos through both, on and on, and keeps what failed.

    Every request has a connection of its own, as from many clients, and the session of an account
    that is made when the traffic begins.
    """

    def __init__(self, deployment: Deployment) -> None:
        super().__init__(daemon=True)
        self.done, self.failures, self.sent, self.added = threading.Event(), list[str](), 0, 0
        self.frontend, self.backend = deployment.frontend, deployment.backend
        self.account = {"email": f"{uuid4().hex}@example.org", "password": uuid4().hex}
        answer = httpx.post(f"{self.frontend}/api/auth/sign-up", json=self.account, timeout=15)
        self.headers = {"Authorization": f"Bearer {answer.json()['token']}"}

    def run(self) -> None:
        # Slow enough that no test's traffic fills the list of its account.
        while not self.done.wait(0.2):  # a round of five
            self._ask("GET", f"{self.frontend}/api/health")
            self._ask("GET", f"{self.backend}/ready")
            self._ask("GET", f"{self.backend}/api/me")
            self.added += self._ask("POST", f"{self.frontend}/api/todos")
            self.added += self._ask("POST", f"{self.backend}/api/todos")

    def stored(self) -> int:
        """Returns the number of this account's todos."""
        found = httpx.get(f"{self.frontend}/api/todos", headers=self.headers, params={"limit": 1})
        return found.json()["total"]

    def assert_unharmed(self) -> None:
        """No request failed, and what was acknowledged is stored."""
        assert self.failures == []
        assert self.sent >= 2 * 5, "there was hardly a request while it was done"
        assert self.stored() == self.added

    def _ask(self, method: str, url: str) -> bool:
        self.sent += 1
        body = {"title": f"Todo {self.sent}"} if method == "POST" else None
        try:
            status = httpx.request(
                method, url, json=body, headers=self.headers, timeout=15
            ).status_code
        except httpx.HTTPError as error:
            self.failures.append(f"{method} {url}: {error!r}")
            return False
        if status not in {200, 201}:
            self.failures.append(f"{method} {url}: {status}")
        return status == 201

    def __enter__(self) -> "Traffic":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.join()
