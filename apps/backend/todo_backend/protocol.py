"""HTTP/1.1 connections that end: uvicorn's own protocol with deadlines and a bound on their number.

uvicorn limits only how long a connection idles between requests. A client that never finishes a
request, or never reads the answer, would keep its connection and its memory for ever ("slow
loris").
"""

import asyncio
import json
from http import HTTPStatus
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from .settings import Settings, get_settings

_CLOSE = (b"connection", b"close")


class BoundedProtocol(H11Protocol):
    """One connection, which the client has to make use of.

    Beyond the allowed number of connections each new one takes the place of the oldest one that is
    waiting for its client. So new clients, and the probes of Kubernetes, are always let in.
    """

    stopping = False

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*arguments, **options)
        self._settings: Settings = get_settings()
        self._waiting_for: tuple[str, object] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._since = self.loop.time()

    # Called by the transport.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Takes the connection, and ends another one if there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self._settings.maximum_connections:
            self._make_room()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the timers with the connection."""
        super().connection_lost(exc)
        self._wait_for(None)
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        """Goes on with the request, and sees what is still missing of it."""
        super().data_received(data)
        self._watch()

    def pause_writing(self) -> None:
        """Gives a client that does not read its answer a deadline too."""
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(
                3 * self._settings.request_seconds, self.transport.abort
            )

    def resume_writing(self) -> None:
        """Goes on writing."""
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    # Called by uvicorn.

    def on_response_complete(self) -> None:
        """Sees whether the next request has begun."""
        super().on_response_complete()
        self._since = self.loop.time()
        self._watch()

    def timeout_keep_alive_handler(self) -> None:
        """Ends an idle connection, also when the client does not take the end of the answer."""
        super().timeout_keep_alive_handler()
        self.loop.call_later(5, self.transport.abort)

    def handle_events(self) -> None:
        """Handles what has arrived; the answers of a process that stops say that they are last."""
        before = self.cycle
        super().handle_events()
        if self.stopping and self.cycle is not before:
            self._answer_last()

    def shutdown(self) -> None:
        """Finishes the request under way, and ends the connection."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._answer_last()
        super().shutdown()

    def send_400_response(self, msg: str) -> None:
        """Refuses what is no HTTP, in the form of all our errors."""
        self._refuse(400, msg)

    # Our own.

    def _answer_last(self) -> None:
        self.cycle.keep_alive = False
        self.cycle.default_headers = [*self.cycle.default_headers, _CLOSE]

    def _missing(self) -> tuple[str, object] | None:
        """Returns what the client owes: the head or the body of which request."""
        their_state = self.conn.their_state
        if their_state is h11.SEND_BODY:
            return "body", self.cycle
        if their_state is h11.IDLE and (self.cycle is None or self.conn.trailing_data[0]):
            return "head", self.cycle
        return None

    def _watch(self) -> None:
        self._wait_for(None if self.transport.is_closing() else self._missing())

    def _wait_for(self, missing: tuple[str, object] | None) -> None:
        """Starts, keeps or stops the clock; a slow trickle of bytes does not wind it up again."""
        if missing == self._waiting_for:
            return
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._waiting_for = missing
        if missing is not None:
            self._since = self.loop.time()
            self._deadline = self.loop.call_later(self._settings.request_seconds, self._too_late)

    def _too_late(self) -> None:
        if self._missing() == ("head", None) and not self.conn.trailing_data[0]:
            self.transport.close()  # nothing was ever asked
        else:
            self._refuse(408, "The request took too long to arrive.")

    def _refuse(self, status: int, detail: str) -> None:
        """Answers if nothing has been answered yet, and closes."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = json.dumps({"detail": detail}).encode()
            headers = [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
                _CLOSE,
            ]
            for event in (
                h11.Response(
                    status_code=status, headers=headers, reason=HTTPStatus(status).phrase.encode()
                ),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()
        self.loop.call_later(5, self.transport.abort)

    def _busy(self) -> bool:
        """Tells whether it is the application's turn, not the client's."""
        return self.cycle is not None and not self.cycle.response_complete and not self._waiting_for

    def _make_room(self) -> None:
        """Ends the connection that has waited longest for its client: unfinished requests first."""
        connections = cast("set[BoundedProtocol]", self.connections)
        staying = [other for other in connections if not other.transport.is_closing()]
        waiting = [other for other in staying if other is not self and not other._busy()]
        if waiting and len(staying) > self._settings.maximum_connections:
            oldest = min(waiting, key=lambda other: (other._waiting_for is None, other._since))
            oldest.transport.abort()
