"""Which requests are let in: no more at once than can be answered, and none that is ambiguous."""

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PROBES = frozenset({"/health", "/ready"})


class Admission:
    """Answers 503 at once beyond a number of requests; probes are answered whatever the load.

    So a busy process says so instead of making everybody wait, and is not taken for a dead one.
    A request counts when it has arrived in full: who sends slowly takes nobody's place.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app, self._most, self._running = app, most, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one ASGI connection."""
        if scope["type"] != "http" or scope["path"] in _PROBES:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if "content-length" in headers and "transfer-encoding" in headers:
            # RFC 9112, 6.1: may be an attempt to smuggle a second request behind the first.
            detail = "A request has either Content-Length or Transfer-Encoding."
            await _refusal(400, detail)(scope, receive, send)
            return
        body = await _whole(receive)
        if body is None:  # the client has gone
            return
        if self._running >= self._most:
            detail = "Too many people are here right now. Please try again."
            await _refusal(503, detail, {"Retry-After": "1"})(scope, receive, send)
            return
        self._running += 1
        try:
            await self.app(scope, _again(body, receive), send)
        finally:
            self._running -= 1


def _refusal(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"detail": detail}, status, {"Connection": "close"} | (headers or {}))


async def _whole(receive: Receive) -> bytes | None:
    """Returns the body, which BodyLimit keeps small; None when the client leaves before its end."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _again(body: bytes, receive: Receive) -> Receive:
    """Returns what hands out the body that was read already, and then what comes after it."""
    message: Message | None = {"type": "http.request", "body": body, "more_body": False}

    async def replay() -> Message:
        nonlocal message
        first, message = message, None
        return first if first is not None else await receive()

    return replay
