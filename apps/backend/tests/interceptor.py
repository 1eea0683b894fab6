"""A man in the middle: ends TLS with a certificate of his own, and passes everything on."""

import contextlib
import socket
import ssl
import struct
import threading
from pathlib import Path

_SSL_REQUEST = struct.pack("!ii", 8, 80877103)  # PostgreSQL manual, "Message Formats"


class Interceptor:
    """Listens on a port and stands between each client and the server."""

    def __init__(self, server: tuple[str, int], certificate: Path, key: Path) -> None:
        self._server = server
        self._own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._own.load_cert_chain(certificate, key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            client.recv(8)
            client.sendall(b"S")
            near = self._own.wrap_socket(client, server_side=True)
            server = socket.create_connection(self._server)
            server.sendall(_SSL_REQUEST)
            server.recv(1)
            trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
            far = trusting.wrap_socket(server)
            threading.Thread(target=self._pass_on, args=[far, near], daemon=True).start()
            self._pass_on(near, far)

    @staticmethod
    def _pass_on(source: ssl.SSLSocket, target: ssl.SSLSocket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Stops listening."""
        self._listener.close()
