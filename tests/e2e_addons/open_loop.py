"""Requests at a fixed rate, whatever becomes of those before, so nothing slow hides a failure."""

import asyncio
import ssl
import threading
import time
from collections import Counter
from types import TracebackType
from typing import Self

import httpx

from tests.e2e_addons.local_host import LocalHost

PATIENCE_SECONDS = 30


class OpenLoop(threading.Thread):
    """Asks for a page and for the account through the gateway, on new and on kept connections."""

    def __init__(self, host: LocalHost, token: str, *, rate: float = 10) -> None:
        """Prepares; nothing is asked yet.

        Args:
            host: Who is asked.
            token: Of an account.
            rate: Requests a second, of each of the four kinds.
        """
        super().__init__(daemon=True)
        self._host, self._rate = host, rate
        self._headers = {"Host": host.netloc, "Authorization": f"Bearer {token}"}
        self._done = threading.Event()
        self.outcomes: Counter[str] = Counter()
        self.serials: set[str] = set()
        """Of the certificates that new connections were shown."""

    def run(self) -> None:
        """Asks until it is told to end."""
        asyncio.run(self._run())

    async def _run(self) -> None:
        kept = httpx.Limits(max_keepalive_connections=20, keepalive_expiry=60)
        fresh = httpx.Limits(max_keepalive_connections=0)
        trust = self._host.context
        async with (
            httpx.AsyncClient(limits=kept, verify=trust, timeout=PATIENCE_SECONDS) as keeping,
            httpx.AsyncClient(limits=fresh, verify=trust, timeout=PATIENCE_SECONDS) as renewing,
        ):
            asked: set[asyncio.Task[None]] = set()
            begun, sent = time.monotonic(), 0
            while not self._done.is_set():
                while sent < (time.monotonic() - begun) * self._rate:
                    sent += 1
                    for client in (keeping, renewing):
                        for path in ("/", "/api/me"):
                            task = asyncio.create_task(self._ask(client, path))
                            asked.add(task)
                            task.add_done_callback(asked.discard)
                await asyncio.sleep(0.01)
            await asyncio.gather(*asked)

    async def _ask(self, client: httpx.AsyncClient, path: str) -> None:
        url = f"https://{self._host.address}:{self._host.port}{path}"
        sni = {"sni_hostname": self._host.name}
        try:
            async with client.stream("GET", url, headers=self._headers, extensions=sni) as answer:
                tls = answer.extensions["network_stream"].get_extra_info("ssl_object")
                if isinstance(tls, ssl.SSLObject):
                    certificate = tls.getpeercert() or {}
                    self.serials.add(str(certificate.get("serialNumber")))
                await answer.aread()
                outcome = str(answer.status_code)
        except httpx.HTTPError as error:
            outcome = f"{path}: {error!r}"
        self.outcomes[outcome] += 1

    def __enter__(self) -> Self:
        """Begins to ask."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends when all is answered."""
        self._done.set()
        self.join()
