"""Small HTTP client: short timeouts, JSON, and which certificate a server has."""

import json
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import urllib3

_POOL = urllib3.PoolManager(
    timeout=urllib3.Timeout(connect=3, read=10), retries=False, headers={"User-Agent": "todo-ops"}
)


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


def request(
    method: str, url: str, body: object = None, headers: dict[str, str] | None = None
) -> Answer:
    """Sends a request.

    Raises:
        NoAnswerError: There was no answer.
    """
    try:
        answer = (
            _POOL.request(
                method, url, json=body, headers=headers or {}, redirect=False, preload_content=True
            )
            if body is not None
            else _POOL.request(method, url, headers=headers or {}, redirect=False)
        )
    except urllib3.exceptions.HTTPError as error:
        raise NoAnswerError(_reason(error)) from None
    text = answer.data.decode(errors="replace")
    return Answer(answer.status, text, answer.headers.get("content-type", ""))


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
    context = ssl.create_default_context()
    try:
        with (
            socket.create_connection((parts.hostname, parts.port or 443), timeout=3) as plain,
            context.wrap_socket(plain, server_hostname=parts.hostname) as secure,
        ):
            end = (secure.getpeercert() or {}).get("notAfter")
    except OSError:
        return None
    if not isinstance(end, str):
        return None
    expires = datetime.fromtimestamp(ssl.cert_time_to_seconds(end), UTC)
    return (expires - datetime.now(UTC)).total_seconds() / 86400
