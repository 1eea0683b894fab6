"""The server around the application."""

import asyncio
import socket
from typing import Any

import uvicorn

from .protocol import BoundedProtocol
from .settings import Settings

_LAST_CALL_SECONDS = 2.0
_FINISH_SECONDS = 18


class Server(uvicorn.Server):
    """uvicorn that, told to stop, first answers what has reached it already.

    Closing the socket at once would reset the connections the kernel has accepted but Python has
    not, and idle ones a proxy is about to use. So for a moment all is served as before, but with
    ``Connection: close``.
    """

    def __init__(self, config: uvicorn.Config, protocol: type[BoundedProtocol]) -> None:
        super().__init__(config)
        self._protocol = protocol

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Lets everybody go, politely."""
        self._protocol.stopping = True
        for connection in list(self.server_state.connections):
            cycle = getattr(connection, "cycle", None)
            if cycle is not None and not cycle.response_complete:
                connection.shutdown()
        await asyncio.sleep(_LAST_CALL_SECONDS)
        await super().shutdown(sockets)


def create_server(app: Any, settings: Settings, *, host: str, port: int) -> Server:  # noqa: ANN401
    """Returns a server of the ASGI application, not yet started."""

    class Protocol(BoundedProtocol):
        """The connections of this server; a class of their own, so that they stop with it alone."""

    return Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http=Protocol,
            ws="none",
            workers=1,
            log_config=None,
            access_log=False,  # our own line carries more
            server_header=False,
            proxy_headers=False,  # see client_address.py
            timeout_keep_alive=settings.keep_alive_seconds,
            timeout_graceful_shutdown=_FINISH_SECONDS,
        ),
        Protocol,
    )
