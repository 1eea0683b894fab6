"""Somebody who adds todos on and on, and remembers what was acknowledged."""

import threading
import time
from uuid import uuid4

import httpx

from console.waiting import wait_until
from tests.e2e.deployment import Deployment


class Writing(threading.Thread):
    """Adds todos, each until it is acknowledged; the next begins then."""

    def __init__(self, stack: Deployment) -> None:
        super().__init__(daemon=True)
        self._api, self._done = stack.backend, threading.Event()
        account = {"email": f"{uuid4().hex}@example.org", "password": uuid4().hex}
        answer = httpx.post(f"{self._api}/api/auth/sign-up", json=account, timeout=30)
        self._session = {"Authorization": f"Bearer {answer.json()['token']}"}
        self.acknowledged: list[str] = []
        self.sent: set[str] = set()
        self.refused: list[str] = []
        """What else was answered, or why nothing was: pods without a database are not sent any."""
        self.longest = 0.0
        """Seconds between two acknowledgements."""

    def run(self) -> None:
        last = time.monotonic()
        while not self._done.wait(0.05):
            todo = {"id": str(uuid4()), "title": uuid4().hex}
            self.sent.add(todo["title"])
            while not self._add(todo):
                if self._done.wait(0.2):
                    return
            self.acknowledged.append(todo["title"])
            self.longest = max(self.longest, time.monotonic() - last)
            last = time.monotonic()

    def _add(self, todo: dict[str, str]) -> bool:
        try:
            status = httpx.post(
                f"{self._api}/api/todos", json=todo, headers=self._session, timeout=20
            ).status_code
        except httpx.HTTPError as error:
            self.refused.append(type(error).__name__)
            return False
        if status != 201:
            self.refused.append(str(status))
        return status == 201

    def go_on(self, more: int = 20) -> None:
        """Waits until some more are acknowledged."""
        enough = len(self.acknowledged) + more
        wait_until(lambda: len(self.acknowledged) >= enough, 300, "nobody can write any more")

    def stored(self) -> set[str]:
        """Returns the titles of what is stored."""
        found: set[str] = set()
        while True:
            page = httpx.get(
                f"{self._api}/api/todos",
                headers=self._session,
                params={"limit": 200, "offset": len(found), "order": "created"},
                timeout=30,
            ).json()
            found |= {it["title"] for it in page["items"]}
            if len(found) >= page["total"] or not page["items"]:
                return found

    def __enter__(self) -> "Writing":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self.join()
