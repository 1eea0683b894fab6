"""Which requests are let in: no more at once than can be answered, and none that is ambiguous."""

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_PROBES = frozenset({"/health", "/ready"})


class Admission:
    """Answer 503 at once beyond a number of requests; probes are answered whatever the load.

    So a busy process says so instead of making everybody wait, and is not taken for a dead one.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app, self._most, self._running = app, most, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if "content-length" in headers and "transfer-encoding" in headers:
            # RFC 9112, 6.1: may be an attempt to smuggle a second request behind the first.
            detail = "A request has either Content-Length or Transfer-Encoding."
            refusal = JSONResponse({"detail": detail}, 400, {"Connection": "close"})
            await refusal(scope, receive, send)
            return
        if scope["path"] in _PROBES:
            await self.app(scope, receive, send)
            return
        if self._running >= self._most:
            detail = "Too many people are here right now. Please try again."
            busy = {"Retry-After": "1", "Connection": "close"}
            await JSONResponse({"detail": detail}, 503, busy)(scope, receive, send)
            return
        self._running += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._running -= 1
