"""HTTP at the frontend: what is malformed or unusual is answered, and clearly."""

import json
import re
import socket
from urllib.parse import urlsplit

import httpx
import pytest

from tests.e2e.deployment import Deployment


def _raw(deployment: Deployment, text: str) -> tuple[int, dict[str, str], str]:
    """Sends just these characters and reads until the connection closes."""
    address = urlsplit(deployment.frontend)
    with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
        connection.sendall(text.encode())
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    head, _, body = answer.decode().partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return int(status.split()[1]), headers, body


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("GET /api/todos/%ff", 400),
        ("GET /%ff", 400),
        ("TRACE /", 405),
        ("TRACE /api/todos", 405),
        ("POST /", 405),
        ("PUT /api/todos", 405),
        ("PROPFIND /api/todos", 405),
    ],
)
def test_what_cannot_be_served_is_refused_in_one_sentence(
    deployment: Deployment, request_line: str, status: int
) -> None:
    found, headers, body = _raw(
        deployment, f"{request_line} HTTP/1.1\r\nHost: todo\r\nConnection: close\r\n\r\n"
    )
    assert found == status
    assert headers["content-type"].startswith("application/json")
    assert re.search(r'"detail": ?"[^"]+"', body)
    assert ("allow" in headers) == (status == 405)


def test_an_offer_of_http_2_is_ignored(deployment: Deployment) -> None:
    offer = "Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk"
    for path in ("/", "/api/health", "/api/me"):
        status, _, _ = _raw(deployment, f"GET {path} HTTP/1.1\r\nHost: todo\r\n{offer}\r\n\r\n")
        assert status == (401 if path == "/api/me" else 200)


def test_static_files_carry_the_headers_that_keep_them_what_they_are(
    deployment: Deployment,
) -> None:
    page = httpx.get(deployment.frontend).text
    scripts = re.findall(r'/_next/static/[^"]+\.(?:js|css)', page)
    assert scripts
    for script in scripts:
        headers = httpx.get(deployment.frontend + script).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"


def test_every_line_of_the_log_is_json(deployment: Deployment) -> None:
    _raw(deployment, "TRACE / HTTP/1.1\r\nHost: todo\r\nConnection: close\r\n\r\n")
    for pod in deployment.pods("frontend"):
        for line in deployment.kubectl("logs", pod, "-c", "frontend").splitlines():
            assert json.loads(line)["event"]


def test_the_frontend_runs_on_a_node_without_the_known_weaknesses(deployment: Deployment) -> None:
    # The stand-in of the embedded cluster has 24.19.0; the official image may be newer.
    for pod in deployment.pods("frontend"):
        version = deployment.kubectl("exec", pod, "-c", "frontend", "--", "node", "--version")
        assert tuple(map(int, version.strip().removeprefix("v").split("."))) >= (24, 19, 0)
