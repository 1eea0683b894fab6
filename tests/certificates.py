"""Certificates for the tests, made by openssl, and a server that has one."""

import ssl
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

HOST = "todo.localhost"
"""Where `serving` says that it is."""

_NEW = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


def authority(folder: Path, name: str) -> tuple[Path, Path]:
    """Makes a certificate authority; returns its certificate and its key."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    _openssl(*_NEW, "-subj", f"/CN={name}", "-out", certificate, "-keyout", key)
    return certificate, key


def server_certificate(folder: Path, host: str, signed_by: tuple[Path, Path]) -> tuple[Path, Path]:
    """Makes a certificate for a host, signed by an authority; returns it and its key.

    The host is a name or an address.
    """
    certificate, key = folder / "server.crt", folder / "server.key"
    kind = "IP" if host.replace(".", "").isdecimal() else "DNS"
    _openssl(
        *(*_NEW, "-subj", "/CN=server", "-addext", f"subjectAltName={kind}:{host}"),
        *("-CA", signed_by[0], "-CAkey", signed_by[1], "-out", certificate, "-keyout", key),
    )
    return certificate, key


def _openssl(*arguments: str | Path) -> None:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = self.headers["Host"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class
        """Says nothing."""


@contextmanager
def serving(certificate: Path, key: Path) -> Generator[str]:
    """A server of this machine's loopback address; yields the URL of a host that is there."""
    server = HTTPServer(("127.0.0.1", 0), _Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"https://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
