"""A client that takes each page and all it names, once, on connections of their own."""

import re
import threading

import httpx

from tests.e2e.asking import PATIENCE_SECONDS
from tests.e2e.deployment import Deployment

_NAMED = re.compile(r'(?:src|href)="(/[^"/][^"]*\.[^"]+)"')


def files_named_in(page: str) -> list[str]:
    """Returns the addresses of the scripts, styles and icons that a page names."""
    return _NAMED.findall(page)


class Crawler(threading.Thread):
    """Loads the page and its files, on and on; unlike a browser's page it never asks again.

    Each request has a connection of its own, so the page and its files come from any of the pods.
    """

    def __init__(self, deployment: Deployment) -> None:
        super().__init__(daemon=True)
        self.done, self.failures = threading.Event(), list[str]()
        self.seen = list[frozenset[str]]()
        """The files that each page named."""
        self._client = httpx.Client(
            base_url=deployment.frontend,
            timeout=PATIENCE_SECONDS,
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def run(self) -> None:
        while not self.done.wait(0.02):
            page = self._load("/")
            if page is None:
                continue
            self.seen.append(frozenset(files_named_in(page)))
            # Those that all pages name are in every build; the others may not be in the next pod's.
            for file in self.seen[-1] - self.seen[-1].intersection(*self.seen):
                self._load(file)

    def load_again(self) -> None:
        """Loads every file that a page has named, some of which no page names any more."""
        for file in frozenset[str]().union(*self.seen):
            self._load(file)

    def builds_changed_back(self) -> bool:
        """Whether a page was followed by one of the build before: pods of both have answered."""
        order = [page for n, page in enumerate(self.seen) if n == 0 or page != self.seen[n - 1]]
        return len(order) > len(set(order)) >= 2

    def _load(self, path: str) -> str | None:
        try:
            answer = self._client.get(path)
        except httpx.HTTPError as error:
            self.failures.append(f"{path}: {error!r}")
            return None
        if answer.status_code != 200:
            self.failures.append(f"{path}: {answer.status_code}")
            return None
        return answer.text

    def __enter__(self) -> "Crawler":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.join()
        self._client.close()
