"""What `logs --search` asks the log store, and what it shows of the answer."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

from console.failure import Failure
from ops import log_search
from ops.command_line import app
from ops.context import Target
from ops.retry import ApiError
from tests.ops.stacks import deployed

_READY = {"conditions": [{"type": "Ready", "status": "True"}]}
_SERVICE: dict[str, Any] = {
    "metadata": {"name": "victoria-logs", "namespace": "todo-logs"},
    "spec": {"selector": {"a": "b"}, "ports": [{"port": 9428}]},
}


class _Store(ThreadingHTTPServer):
    """A log store that answers the same to every search, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.answer, self.asked = 200, "", dict[str, str]()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        store = self.server
        assert isinstance(store, _Store)
        query = parse_qs(urlsplit(self.path).query)
        store.asked = {name: values[0] for name, values in query.items()}
        self.send_response(store.status)
        self.end_headers()
        self.wfile.write(store.answer.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing."""


class _Cluster:
    """A cluster whose only Service is the log store, if it has one."""

    kubeconfig = context = None
    namespace = "todo-app"

    def __init__(self, store: _Store | None, *, forbidden: bool = False) -> None:
        self.store, self.forbidden = store, forbidden

    def items(self, kind: str, **_: str) -> list[Any]:
        if self.forbidden:
            raise ApiError(403, "services is forbidden")
        return [_SERVICE] if self.store else []

    def get(self, kind: str, name: str) -> Any:
        return _SERVICE

    def pods(self, selector: str = "") -> list[Any]:
        if not selector:
            return []
        return [{"metadata": {"name": "victoria-logs-0"}, "status": _READY}]

    def tunnel(self, pod: str, port: int) -> socket.socket:
        assert self.store is not None
        return socket.create_connection(("127.0.0.1", self.store.server_port))


@pytest.fixture
def store() -> Iterator[_Store]:
    store = _Store()
    yield store
    store.shutdown()
    store.server_close()


def _run(
    monkeypatch: pytest.MonkeyPatch, cluster: _Cluster, *arguments: str
) -> tuple[str, Exception | None]:
    monkeypatch.setattr(log_search, "Cluster", lambda *_: cluster)
    monkeypatch.setattr(Target, "stack", deployed())
    monkeypatch.setattr(Target, "cluster", cluster)
    done = CliRunner().invoke(app, ["logs", *arguments])
    error = done.exception
    return done.output, error if isinstance(error, Exception) else None


def _line(pod: str, time: str, text: str, **more: str) -> str:
    about = {"kubernetes.pod_name": pod, "kubernetes.pod_namespace": "todo-app", "_stream": "{}"}
    return json.dumps({**about, "_time": time, "_msg": text, **more}) + "\n"


@pytest.mark.parametrize("follow", [[], ["--follow"]])
def test_a_part_that_does_not_exist_is_waited_for_by_nobody(
    monkeypatch: pytest.MonkeyPatch, follow: list[str]
) -> None:
    monkeypatch.setattr("ops.commands.logs.time.sleep", lambda _: pytest.fail("it waits"))
    _, error = _run(monkeypatch, _Cluster(None), "databse", *follow)
    assert "There are no pods of databse; the parts are backend," in str(error)


def test_lines_are_found_in_the_order_of_their_time_and_each_once(
    store: _Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = _line("backend-1", "2026-01-01T00:00:02Z", "request", status="200")
    store.answer = late + _line("frontend-1", "2026-01-01T00:00:01Z", "request") + late
    shown, error = _run(monkeypatch, _Cluster(store), "--search", "request")
    assert error is None
    assert shown.splitlines() == [
        "frontend-1 2026-01-01T00:00:01Z request",
        "backend-1 2026-01-01T00:00:02Z request status=200",
    ]


def test_only_lines_of_the_application_are_searched(
    store: _Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--search", "error | fields _msg", "--since", "2h", "--tail", "7"]
    _run(monkeypatch, _Cluster(store), "database", *options)
    assert store.asked == {
        "query": "error | fields _msg",
        "start": "7200s",
        "limit": "7",
        "extra_filters": json.dumps(
            {
                "kubernetes.pod_namespace": "todo-app",
                "kubernetes.pod_labels.app.kubernetes.io/component": "database",
            }
        ),
    }


def test_all_lines_of_a_request_are_searched_whatever_is_in_its_id(
    store: _Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(monkeypatch, _Cluster(store), "--request", 'a"b or *')
    assert store.asked["query"] == "*"
    assert json.loads(store.asked["extra_filters"])["request_id"] == 'a"b or *'


def test_what_a_query_makes_of_the_lines_is_shown(
    store: _Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.answer = '{"kubernetes.pod_name":"backend-1","count(*)":"3"}\n'
    query = "* | stats by (kubernetes.pod_name) count()"
    shown, _ = _run(monkeypatch, _Cluster(store), "--search", query)
    assert shown == "count(*)=3 kubernetes.pod_name=backend-1\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--search", "x", "--follow"], "--follow goes on with what pods write"),
        (["nothing", "--search", "x"], "There is no part nothing; the parts are backend"),
        (["--search", "x", "--since", "soon"], "--since soon is not a time"),
        (["--search", "("], "The log store refuses the search: missing )"),
    ],
)
def test_what_cannot_be_searched_is_said_in_a_sentence(
    store: _Store, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    store.status, store.answer = 400, "missing )\n"
    _, error = _run(monkeypatch, _Cluster(store), *arguments)
    assert isinstance(error, Failure)
    assert said in str(error)


def test_a_cluster_without_a_log_store_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    _, error = _run(monkeypatch, _Cluster(None), "--search", "x")
    assert isinstance(error, Failure)
    assert "There is no log store in this cluster" in str(error)
    assert "make addons" in str(error)


def test_who_may_not_look_for_the_log_store_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    _, error = _run(monkeypatch, _Cluster(None, forbidden=True), "--search", "x")
    assert isinstance(error, Failure)
    assert "You may not list the cluster's Services" in str(error)
