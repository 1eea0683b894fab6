"""HTTP at the frontend: what is malformed or unusual is answered, and clearly."""

import base64
import hashlib
import json
import re
import socket
from urllib.parse import urlsplit

import pytest

from tests.e2e.asking import ask
from tests.e2e.crawler import files_named_in
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
        ("CONNECT /", 405),
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


_LOCKED = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


@pytest.mark.parametrize(("path", "status"), [("/", 200), ("/nowhere", 404)])
def test_pages_run_only_what_was_built_into_them(
    deployment: Deployment, path: str, status: int
) -> None:
    answer = ask("GET", deployment.frontend + path)
    assert answer.status_code == status
    scripts = re.findall(r"<script(?![^>]* src=)[^>]*>(.*?)</script>", answer.text, re.DOTALL)
    digests = [hashlib.sha256(script.encode()).digest() for script in scripts]
    hashes = {f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests}
    assert hashes
    assert " style=" not in answer.text
    assert not re.search(r"<[a-z][^>]*\son[a-z]+=", answer.text)
    policy = answer.headers["content-security-policy"]
    directives = {name: set(rest) for name, *rest in map(str.split, policy.split(";"))}
    assert directives == {
        "default-src": {"'self'"},
        "script-src": {"'self'", *hashes},
        "style-src": {"'self'"},
        "img-src": {"'self'", "data:"},
        "connect-src": {"'self'"},
        "font-src": {"'self'"},
        "object-src": {"'none'"},
        "base-uri": {"'none'"},
        "form-action": {"'self'"},
        "frame-ancestors": {"'none'"},
    }
    assert dict(answer.headers).items() >= _LOCKED.items()


def test_files_of_a_page_are_compressed_kept_and_locked_up(deployment: Deployment) -> None:
    files = files_named_in(ask("GET", deployment.frontend).text)
    assert len(files) > 3
    for file in files:
        answer = ask("GET", deployment.frontend + file, headers={"Accept-Encoding": "br"})
        assert answer.status_code == 200, file
        assert answer.headers["content-encoding"] == "br"
        assert dict(answer.headers).items() >= _LOCKED.items()
        if file.startswith("/_next/static/"):
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_a_page_is_asked_for_each_time_and_sent_when_it_has_changed(deployment: Deployment) -> None:
    page = ask("GET", deployment.frontend)
    assert page.headers["cache-control"] == "no-cache"
    again = ask("GET", deployment.frontend, headers={"If-None-Match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_file_that_no_pod_has_is_missing_on_this_connection_alone(
    deployment: Deployment,
) -> None:
    answer = ask("GET", f"{deployment.frontend}/_next/static/chunks/of-a-build-before.js")
    assert answer.status_code == 404
    assert answer.json()["detail"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["connection"] == "close"


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
