"""What surrounds every request: HEAD, a body limit, a request id, one log line and metrics."""

import contextlib
import re
import time
import uuid

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from . import metrics

MAXIMUM_BODY_BYTES = 64 * 1024
log = structlog.get_logger("todo_backend.access")


class _TooLargeError(Exception):
    """The body turned out larger than allowed while it was being read."""


class AnswerHead:
    """Answers HEAD as GET; the server leaves the body out (RFC 9110, 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one ASGI connection."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        asked = dict(scope, method="GET")
        try:
            await self.app(asked, receive, send)
        finally:
            scope["route"] = asked.get("route")  # for the log line


class BodyLimit:
    """Answers 413 instead of reading a large body, whether or not it declares its length."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one ASGI connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "0")
        refusal = JSONResponse(
            {"detail": f"The request body exceeds {MAXIMUM_BODY_BYTES // 1024} KiB."},
            413,
            {"Connection": "close"},
        )
        if not length.isdecimal() or int(length[:12]) > MAXIMUM_BODY_BYTES:
            await refusal(scope, receive, send)
            return
        seen = 0
        started = exceeded = False

        async def counted() -> Message:
            nonlocal seen, exceeded
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > MAXIMUM_BODY_BYTES:
                exceeded = True
                raise _TooLargeError
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            if exceeded and not started:  # whatever the app made of it, the answer is 413
                return
            started = True
            await send(message)

        with contextlib.suppress(_TooLargeError):
            await self.app(scope, counted, watched)
        if exceeded and not started:
            await refusal(scope, receive, send)


class Observe:
    """Gives each request an id, counts and times it, and logs one line."""

    _ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one ASGI connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if self._ID.fullmatch(given) else uuid.uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        status = _NONE
        begun = time.perf_counter()

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                headers["X-Content-Type-Options"] = "nosniff"
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        metrics.IN_FLIGHT.inc()
        try:
            await self.app(scope, receive, observed)
        except BaseException:
            status = 500 if status == _NONE else status
            raise
        finally:
            metrics.IN_FLIGHT.dec()
            took = time.perf_counter() - begun
            route = getattr(scope.get("route"), "path", "unmatched")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            metrics.REQUESTS.labels(method, route, status).inc()
            metrics.LATENCY.labels(method, route).observe(took)
            level = log.debug if route in _QUIET and status < 400 else log.info
            level("request", method=method, route=route, status=status, ms=round(took * 1000, 1))


_NONE = 499  # the client left before its request was complete; nginx's number for it
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUIET = frozenset({"/health", "/ready"})
