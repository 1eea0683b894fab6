"""Load that makes the backend's pods work, from a few clients at once."""

import threading

import httpx

from tests.e2e.deployment import Deployment
from tests.e2e.traffic import Traffic


class Load:
    """Clients that read todos as fast as they are answered, and keep what failed."""

    def __init__(self, deployment: Deployment, clients: int) -> None:
        self.failures, self.answered = list[str](), 0
        self._url = f"{deployment.frontend}/api/todos"
        self._headers = Traffic(deployment).headers
        self._done = threading.Event()
        self._clients = [threading.Thread(target=self._ask, daemon=True) for _ in range(clients)]

    def _ask(self) -> None:
        with httpx.Client(headers=self._headers, timeout=15) as client:
            while not self._done.is_set():
                try:
                    status = client.get(self._url).status_code
                except httpx.HTTPError as error:
                    self.failures.append(repr(error))
                    continue
                if status != 200:
                    self.failures.append(str(status))
                self.answered += 1

    def __enter__(self) -> "Load":
        for client in self._clients:
            client.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for client in self._clients:
            client.join()
