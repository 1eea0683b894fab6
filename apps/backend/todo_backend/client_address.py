"""Whose request this is: the client's address, which limits are counted by.

X-Forwarded-For is written by whoever sends the request, so it is believed only as far as those
who append to it are known: the frontend's pods, which send exactly the one address they found,
and as many proxies as the deployment says there are in front (``TRUSTED_PROXIES``).
"""

import asyncio
import ipaddress
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

from fastapi import Depends, Request

from .settings import Settings, get_settings

_FRESH_SECONDS = 5.0
_RETRY_SECONDS = 1.0  # for an address that is not known (yet): a pod that has just started


class ProxyAddresses:
    """The addresses behind ``TRUSTED_PROXY_HOST``, looked up again every few seconds."""

    def __init__(self, host: str | None) -> None:
        self._host = host
        self._known: frozenset[str] = frozenset()
        self._looked_up = float("-inf")
        self._lock = asyncio.Lock()
        # A thread of its own: a name server that is away holds up no password.
        self._resolver = ThreadPoolExecutor(1, "resolver")

    async def contain(self, address: str) -> bool:
        """Tells whether the address is one of them; when the name has none, nothing is."""
        if self._host is None:
            return False
        async with self._lock:
            age = time.monotonic() - self._looked_up
            if age > _FRESH_SECONDS or (address not in self._known and age > _RETRY_SECONDS):
                await self._look_up(self._host)
        return address in self._known

    async def _look_up(self, host: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(2):
                found = await loop.run_in_executor(self._resolver, socket.getaddrinfo, host, None)
        except TimeoutError:
            pass  # the name server is away: those known last are the best guess
        except OSError:
            self._known = frozenset()  # no pod has that name
        else:
            self._known = frozenset(_plain(str(entry[4][0])) or "" for entry in found)
        self._looked_up = time.monotonic()


async def client_address(
    request: Request, settings: Annotated[Settings, Depends(get_settings)]
) -> str:
    """Returns the client's address (a FastAPI dependency)."""
    peer = request.client.host if request.client else "unknown"
    peer = _plain(peer) or peer
    proxies: ProxyAddresses = request.app.state.proxies
    hops = 1 if await proxies.contain(peer) else settings.trusted_proxies
    entries = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    if not 0 < hops <= len(entries):
        return peer
    return _plain(entries[-hops]) or peer


def limited_by(address: str) -> str:
    """Returns what one client is taken to be: an IPv6 network of 64 bits, or the IPv4 address.

    Every IPv6 site has at least 2**64 addresses to itself (RFC 6177), and could use a new one for
    each attempt.
    """
    return _network(address, 32, 64)


def shown(address: str) -> str:
    """Returns the client's network as it may be logged: no single person's address."""
    return _network(address, 24, 48)


def _network(address: str, bits_v4: int, bits_v6: int) -> str:
    try:
        version = ipaddress.ip_address(address).version
    except ValueError:
        return address
    bits = bits_v4 if version == 4 else bits_v6
    return str(ipaddress.ip_network(f"{address.partition('%')[0]}/{bits}", strict=False))


def _plain(entry: str) -> str | None:
    """Returns the address in one form, without a port; None when there is none."""
    entry = entry.strip().strip('"')
    if entry.startswith("["):
        entry = entry[1:].partition("]")[0]
    elif entry.count(":") == 1:
        entry = entry.partition(":")[0]
    try:
        address = ipaddress.ip_address(entry)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


ClientAddress = Annotated[str, Depends(client_address)]
