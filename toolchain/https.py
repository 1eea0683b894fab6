"""Asks over HTTP and TLS as a browser on this machine does."""

from __future__ import annotations

import http.client
import socket
import ssl
import urllib.request
from typing import Any
from urllib.parse import urlsplit

_LOOPBACK = "127.0.0.1"


def is_of_this_machine(url: str) -> bool:
    """Returns whether a URL's host is one that browsers look for on this machine alone.

    RFC 6761, "Domain Name Reservation Considerations for localhost."; many resolvers do not know.
    """
    return (urlsplit(url).hostname or "").endswith(".localhost")


def opener(url: str, authority: str | None) -> urllib.request.OpenerDirector:
    """Returns what opens a URL, never through a proxy of the environment.

    Args:
        url: The URL; a host of this machine's own is looked for here, and certified by its name.
        authority: Certificates of an authority that is believed besides, as PEM.
    """
    context = ssl.create_default_context()
    if authority:
        context.load_verify_locations(cadata=authority)
    ours = is_of_this_machine(url)
    tls = _LocalHandler(context) if ours else urllib.request.HTTPSHandler(context=context)
    # A node's address is on this machine, so no proxy leads to it.
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), tls)


class _LocalConnection(http.client.HTTPSConnection):
    def __init__(self, host: str, *, tls: ssl.SSLContext, **more: Any) -> None:
        super().__init__(host, context=tls, **more)
        self._tls = tls

    def connect(self) -> None:
        plain = socket.create_connection((_LOOPBACK, self.port), self.timeout)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)


class _LocalHandler(urllib.request.HTTPSHandler):
    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__(context=tls)
        self._tls = tls

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        def connection(host: str, **more: Any) -> _LocalConnection:
            return _LocalConnection(host, tls=self._tls, **more)

        return self.do_open(connection, req)
