"""Small HTTP client: JSON, what is given up on, and which certificate a server has."""

import json
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import urllib3

_HEADERS = {"User-Agent": "todo-ops"}
_TIMEOUT = urllib3.Timeout(connect=5, read=35)
"""Longer than the frontend waits for the backend, which it then says (`TIMEOUT_MS` in
apps/frontend/server/backend.mts)."""
_AUTHORITIES: dict[str, str] = {}
"""Host to the certificates of authorities that are believed about it besides this machine's."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    text: str
    kind: str
    """The content type."""

    def json(self) -> Any:
        """Returns the body as JSON, or None."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None


class NoAnswerError(Exception):
    """The server could not be reached; the text says why in a few words."""


def trust(url: str, certificates: str) -> None:
    """Believes authorities about the host of a URL, besides those that this machine trusts.

    Args:
        url: The URL.
        certificates: Of the authorities, as PEM.
    """
    _AUTHORITIES[urlsplit(url).hostname or ""] = certificates


def request(
    method: str, url: str, body: object = None, headers: dict[str, str] | None = None
) -> Answer:
    """Sends a request.

    Raises:
        NoAnswerError: There was no answer.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    asked = parts._replace(netloc=parts.netloc.replace(host, _address(host), 1)).geturl()
    named = {**_HEADERS, "Host": parts.netloc, **(headers or {})}
    pool = _pool(host, _AUTHORITIES.get(host))
    try:
        answer = (
            pool.request(method, asked, json=body, headers=named, redirect=False)
            if body is not None
            else pool.request(method, asked, headers=named, redirect=False)
        )
    except urllib3.exceptions.HTTPError as error:
        raise NoAnswerError(_reason(error)) from None
    text = answer.data.decode(errors="replace")
    return Answer(answer.status, text, answer.headers.get("content-type", ""))


@cache
def _pool(host: str, authorities: str | None) -> urllib3.PoolManager:
    return urllib3.PoolManager(
        timeout=_TIMEOUT,
        retries=False,
        ssl_context=_context(authorities),
        # The certificate has to be the host's, whatever its address.
        server_hostname=host,
    )


def _context(authorities: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if authorities:
        context.load_verify_locations(cadata=authorities)
    return context


def _address(host: str) -> str:
    """Returns whom to ask for a host: browsers know *.localhost, many resolvers do not.

    RFC 6761, "Domain Name Reservation Considerations for localhost.".
    """
    return "127.0.0.1" if host.endswith(".localhost") else host


def _reason(error: Exception) -> str:
    text = str(error)
    for sign, words in (
        ("refused", "connection refused"),
        ("timed out", "no answer in time"),
        ("Name or service not known", "the host name is not known"),
        ("nodename nor servname", "the host name is not known"),
        ("certificate has expired", "its certificate has expired"),
        ("CERTIFICATE_VERIFY_FAILED", "its certificate is not trusted here"),
        ("No route to host", "no route to the host"),
    ):
        if sign in text:
            return words
    return type(error).__name__


def certificate_days(url: str) -> float | None:
    """Returns for how many more days the server's certificate is valid; None without TLS."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        return None
    context = _context(_AUTHORITIES.get(parts.hostname))
    address = _address(parts.hostname), parts.port or 443
    try:
        with (
            socket.create_connection(address, timeout=3) as plain,
            context.wrap_socket(plain, server_hostname=parts.hostname) as secure,
        ):
            end = (secure.getpeercert() or {}).get("notAfter")
    except OSError:
        return None
    if not isinstance(end, str):
        return None
    expires = datetime.fromtimestamp(ssl.cert_time_to_seconds(end), UTC)
    return (expires - datetime.now(UTC)).total_seconds() / 86400
