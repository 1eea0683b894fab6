"""Connections: bounded in time and number, and never cut under an answer."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from prometheus_client import REGISTRY

from todo_backend.app import create_app
from todo_backend.server import Server, create_server
from todo_backend.settings import Settings, get_settings

from .conftest import at_once, new_user, wait_until
from .postgres import External

GET = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


class Live:
    """A server in a thread of its own."""

    def __init__(self, settings: Settings) -> None:
        self.server: Server = create_server(create_app(), settings, host="127.0.0.1", port=0)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()
        wait_until(lambda: self.server.started)
        self.port = self.server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def connect(self, data: bytes = b"") -> socket.socket:
        """Opens a connection and sends something."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        connection.sendall(data)
        return connection

    def stop(self) -> None:
        """Stops it as SIGTERM does."""
        self.server.should_exit = True
        self.thread.join()


@pytest.fixture
def live(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Live]:
    variables: dict[str, str] = getattr(request, "param", {})
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    service = Live(get_settings())
    yield service
    at_once(monkeypatch)  # who waits for the moment has stopped it already
    service.stop()


def everything(connection: socket.socket) -> bytes:
    """Reads until the server closes."""
    received = b""
    while piece := connection.recv(65536):
        received += piece
    return received


def has_ended(connection: socket.socket) -> bool:
    """Waits for what comes; an end is seen as a reset or not, by whether all had been read."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def head(connection: socket.socket) -> bytes:
    """Reads one answer to GET, which ends with its only brace."""
    received = b""
    while not received.endswith(b"}"):
        piece = connection.recv(65536)
        assert piece, "closed without an answer"
        received += piece
    return received


QUICK = {"REQUEST_SECONDS": "1"}
UNFINISHED = (
    b"POST /api/auth/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b'Content-Length: 50\r\n\r\n{"e'
)


@pytest.mark.parametrize("live", [QUICK], indirect=True)
@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b"", b""),
        (b"GET /health HTT", b"HTTP/1.1 408 "),
        (UNFINISHED, b"HTTP/1.1 408 "),
        (GET + b"GET /hea", b"HTTP/1.1 200 "),
    ],
    ids=["nothing", "half a head", "half a body", "half a second head"],
)
def test_unfinished_requests_end(live: Live, data: bytes, answer: bytes) -> None:
    with live.connect(data) as connection:
        assert everything(connection).startswith(answer)


@pytest.mark.parametrize("live", [QUICK], indirect=True)
def test_a_trickle_of_bytes_does_not_wind_the_clock_up(live: Live) -> None:
    with live.connect(b"GET /health HTTP/1.1\r\nX-A: ") as connection:
        ended = threading.Event()

        def drip() -> None:
            while not ended.wait(0.05):
                try:
                    connection.sendall(b"a")
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            assert b" 408 " in head(connection)
        finally:
            ended.set()
            dripping.join()


@pytest.mark.parametrize("live", [QUICK], indirect=True)
def test_an_idle_connection_stays_open_after_its_deadline(live: Live) -> None:
    with live.connect(GET) as connection:
        head(connection)
        time.sleep(2)
        connection.sendall(GET)
        assert b" 200 " in head(connection)


def test_idle_connections_outlive_those_of_common_load_balancers(settings: Settings) -> None:
    server = create_server(create_app(), settings, host="127.0.0.1", port=0)
    assert server.config.timeout_keep_alive == settings.keep_alive_seconds == 75


@pytest.mark.parametrize("live", [{"MAXIMUM_CONNECTIONS": "10"}], indirect=True)
def test_a_new_client_takes_the_place_of_the_oldest_that_waits(live: Live) -> None:
    idle = live.connect(GET)
    head(idle)
    slow = [live.connect(UNFINISHED) for _ in range(30)]
    wait_until(lambda: len(live.server.server_state.connections) <= 10)
    assert httpx.get(f"{live.url}/health", timeout=60).status_code == 200
    assert has_ended(slow[0])
    idle.sendall(GET)  # unfinished requests go first
    assert b" 200 " in head(idle)
    for connection in (idle, *slow):
        connection.close()


@pytest.mark.parametrize("live", [{"MAXIMUM_REQUESTS": "3"}], indirect=True)
def test_a_busy_process_says_so_and_stays_alive(
    live: Live, settings: Settings, server: External
) -> None:
    def answer() -> httpx.Response:
        return httpx.get(f"{live.url}/api/todos", timeout=60)

    body = b'{"email": "a@example.com", "password": "xxxxxxxxxx"}'
    with server.connect(settings.database_name) as admin:
        admin.execute("BEGIN")
        admin.execute("LOCK TABLE users")
        slow = [
            live.connect(
                b"POST /api/auth/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                + f"Content-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            for _ in range(3)
        ]
        wait_until(lambda: answer().status_code == 503)
        refusal = answer()
        assert refusal.headers["retry-after"]
        assert "try again" in refusal.json()["detail"]
        for path in ("/health", "/ready"):
            assert httpx.get(live.url + path, timeout=60).status_code == 200
        admin.execute("ROLLBACK")
    for connection in slow:
        assert head(connection).startswith(b"HTTP/1.1 401 ")
        connection.close()
    assert answer().status_code == 401


@pytest.mark.parametrize("path", ["/api/todos", "/api/chat/conversations"])
@pytest.mark.parametrize("live", [{"MAXIMUM_REQUESTS": "12"}], indirect=True)
def test_one_users_slow_requests_leave_room_for_everybody_else(
    live: Live, settings: Settings, server: External, path: str
) -> None:
    with httpx.Client(base_url=live.url, timeout=60) as client:
        busy, other = new_user(client), new_user(client)

    def ask() -> httpx.Response:
        while True:
            answer = httpx.get(f"{live.url}{path}", headers=busy, timeout=60)
            if answer.status_code != 503:
                return answer

    with ThreadPoolExecutor(20) as pool, server.connect(settings.database_name) as admin:
        admin.execute("BEGIN")
        admin.execute("LOCK TABLE todos, messages")
        waiting = [pool.submit(ask) for _ in range(20)]
        wait_until(lambda: sum(answer.done() for answer in waiting) >= 10)
        somebody = httpx.get(f"{live.url}/api/me", headers=other, timeout=60)
        admin.execute("ROLLBACK")
        answers = [answer.result() for answer in waiting]
    assert somebody.status_code == 200
    assert sorted(answer.status_code for answer in answers) == [200] * 10 + [429] * 10
    assert {a.headers.get("retry-after") for a in answers if a.status_code == 429} == {"1"}
    assert ask().status_code == 200


@pytest.mark.parametrize("live", [{"MAXIMUM_REQUESTS": "3"}], indirect=True)
def test_who_sends_slowly_takes_nobodys_place(live: Live) -> None:
    slow = [live.connect(UNFINISHED) for _ in range(6)]
    wait_until(lambda: len(live.server.server_state.tasks) >= 6)
    assert httpx.get(f"{live.url}/api/todos", timeout=60).status_code == 401
    for connection in slow:
        connection.close()


def test_a_stopping_process_answers_what_has_reached_it(live: Live) -> None:
    body = b'{"email": "a@example.com", "password": "xxxxxxxxxx"}'
    late = live.connect(
        b"POST /api/auth/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        + f"Content-Length: {len(body)}\r\n\r\n".encode()
    )
    idle = live.connect(GET)
    head(idle)
    live.server.should_exit = True
    wait_until(lambda: live.server._protocol.stopping)
    new = live.connect(GET)
    for connection in (idle, late, new):
        connection.sendall(body if connection is late else b"" if connection is new else GET)
        answer = everything(connection)
        assert answer.startswith(b"HTTP/1.1 401 " if connection is late else b"HTTP/1.1 200 ")
        assert b"connection: close" in answer.lower()
        connection.close()
    live.thread.join()


@pytest.mark.parametrize(
    "request_head",
    [
        b"POST /api/auth/sign-out HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
    ],
)
def test_ambiguous_requests_are_refused_and_the_connection_ends(
    live: Live, request_head: bytes
) -> None:
    with live.connect(request_head + GET) as connection:
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["detail"]


def test_head_is_get_without_a_body(live: Live) -> None:
    with httpx.Client(base_url=live.url, timeout=60) as client:
        session = new_user(client)
        whole, headers = (
            client.request(method, "/api/todos", headers=session) for method in ("GET", "HEAD")
        )
    assert headers.status_code == 200
    assert headers.content == b""
    assert headers.headers["content-length"] == whole.headers["content-length"]


def test_a_client_that_leaves_early_is_no_server_error(live: Live) -> None:
    def aborted() -> float:
        labels = {"method": "POST", "route": "unmatched", "status": "499"}
        return REGISTRY.get_sample_value("todo_http_requests_total", labels) or 0

    before = aborted()
    live.connect(UNFINISHED).close()
    wait_until(lambda: aborted() == before + 1)


def test_metrics_are_not_served_to_the_public(live: Live) -> None:
    assert httpx.get(f"{live.url}/metrics", timeout=60).status_code == 404
