"""The Kubernetes API as operations use it: kinds by the cluster's own names, tried again."""

import json
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ops.kube import EVERY, Cluster, Ran
from ops.kubeconfig import proxied
from ops.retry import ApiError, BrokenError
from tests.proxy_cases import PROXY_CASES

GATEWAYS = "gateway.networking.k8s.io"


def resources(version: str, *names: tuple[str, str, bool]) -> dict[str, Any]:
    listed: list[dict[str, Any]] = [
        {"name": name, "kind": kind, "namespaced": namespaced, "singularName": "", "verbs": []}
        for name, kind, namespaced in names
    ]
    return {"kind": "APIResourceList", "groupVersion": version, "resources": listed}


class CutOff(str):
    """What the server says before its connection breaks."""

    __slots__ = ()


class Api:
    """Answers as an API server does, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {
            "/version": {"gitVersion": "v1.34.4"},
            "/readyz": {},
            "/apis": {
                "kind": "APIGroupList",
                "groups": [
                    {
                        "name": name,
                        "versions": [{"groupVersion": f"{name}/v1", "version": "v1"}],
                        "preferredVersion": {"groupVersion": f"{name}/v1", "version": "v1"},
                    }
                    for name in (GATEWAYS, "apps")
                ],
            },
            "/api/v1": resources("v1", ("pods", "Pod", True), ("nodes", "Node", False)),
            f"/apis/{GATEWAYS}/v1": resources("v1", ("gateways", "Gateway", True)),
            "/apis/apps/v1": resources("v1", ("daemonsets", "DaemonSet", True)),
        }
        self.errors: list[int] = []
        self.asked: list[str] = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                api.asked.append(f"{self.command} {self.path}")
                answer = api.answers.get(self.path.partition("?")[0])
                status = 200 if answer is not None else 404
                if api.errors and "/namespaces/" in self.path:
                    status = api.errors.pop(0)
                if status != 200:
                    answer = {"kind": "Status", "message": f"status {status}"}
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                if isinstance(answer, CutOff):
                    self.send_header("Content-Length", str(2 * len(answer)))
                    self.end_headers()
                    self.wfile.write(answer.encode())
                    return
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            do_PATCH = do_GET  # noqa: N815 - as the base class has it

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def cluster(self) -> Cluster:
        return Cluster(json.dumps(self.kubeconfig(server=self.url), indent=1), "x", "todo-app")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def kubeconfig(self, **cluster: str) -> dict[str, Any]:
        return {
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "u", "user": {}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setattr("time.sleep", lambda _: None)
    api = Api()
    yield api
    api.server.shutdown()
    api.server.server_close()


def test_kinds_are_called_as_the_cluster_calls_them(api: Api) -> None:
    cluster = api.cluster()
    found = {
        f"/apis/{GATEWAYS}/v1/namespaces/todo-app/gateways/public": lambda: cluster.find(
            "Gateway", "public", api_version=f"{GATEWAYS}/v1"
        ),
        "/api/v1/namespaces/kube-system/pods/x": lambda: cluster.find(
            "Pod", "x", namespace="kube-system"
        ),
        "/api/v1/nodes/n": lambda: cluster.find("Node", "n"),
    }
    for path, find in found.items():
        assert find() is None
        api.answers[path] = {"metadata": {"name": "there"}}
        assert find() == {"metadata": {"name": "there"}}


def test_lists_are_of_the_namespace_or_of_all(api: Api) -> None:
    cluster = api.cluster()
    api.answers["/api/v1/namespaces/todo-app/pods"] = {"items": [{"metadata": {}}]}
    api.answers["/apis/apps/v1/daemonsets"] = {"items": []}
    assert cluster.pods("app=backend") == [{"metadata": {}}]
    assert cluster.items("DaemonSet", namespace=EVERY) == []
    assert "GET /api/v1/namespaces/todo-app/pods?labelSelector=app%3Dbackend" in api.asked


def test_a_log_whose_connection_breaks_is_told_from_one_that_ends(api: Api) -> None:
    path = "/api/v1/namespaces/todo-app/pods/postgres-0/log"
    api.answers[path] = CutOff("wrote one\nwrote tw")
    lines = api.cluster().log("postgres-0", {"container": "backup"})
    with pytest.raises(BrokenError, match="The connection to the log in the pod postgres-0 broke"):
        list(lines)


def test_of_a_kind_that_the_cluster_does_not_know_there_is_no_object(api: Api) -> None:
    assert api.cluster().find("Gone", "x", api_version="gone.example.com/v1") is None


def test_nothing_is_kept_where_other_users_look(
    api: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    api.cluster().find("Pod", "x")
    assert not list(tmp_path.iterdir())


def test_a_server_that_is_busy_is_asked_again(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.answers["/api/v1/namespaces/todo-app/pods/x"] = {"metadata": {}}
    api.errors = [503, 429]
    assert api.cluster().get("Pod", "x") == {"metadata": {}}
    assert capsys.readouterr().err.count("trying again") == 1


def test_a_refusal_is_told_in_the_servers_words(api: Api) -> None:
    api.errors = [403]
    with pytest.raises(ApiError, match="The cluster refused: status 403; use a kube context"):
        api.cluster().get("Pod", "x")


def test_changes_say_who_made_them(api: Api) -> None:
    api.answers["/api/v1/namespaces/todo-app/pods/x"] = {}
    api.cluster().patch("Pod", "x", {"metadata": {"annotations": {"a": "b"}}})
    assert api.asked[-1].endswith("/pods/x?fieldManager=todo-ops")


def test_fields_are_given_up_as_soon_as_nobody_changes_the_object_meanwhile(api: Api) -> None:
    fields = [{"manager": "todo-ops"}, {"manager": "pulumi-kubernetes"}]
    found = {"metadata": {"managedFields": fields, "resourceVersion": "7"}}
    api.answers["/api/v1/namespaces/todo-app/pods/x"] = found
    api.errors = [200, 409, 200, 422] * 3
    api.cluster().release_fields("Pod", "x")
    assert sum(it.startswith("PATCH ") for it in api.asked) == 7


class Exec:
    """The connection to a command that has printed something, and then ends."""

    def __init__(self, ending: str) -> None:
        self.ending, self.is_new = ending, True

    def is_open(self) -> bool:
        return self.is_new

    def update(self, timeout: float) -> None:
        self.is_new = False

    def peek_stdout(self) -> bool:
        return True

    def read_stdout(self, timeout: float) -> str:
        return "1\n"

    def peek_stderr(self) -> bool:
        return False

    def read_channel(self, channel: int) -> str:
        return self.ending

    def close(self) -> None:
        """Nothing is open."""


def test_a_command_whose_connection_ends_without_a_word_is_run_again_where_it_may_be(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = json.dumps({"status": "Success"})
    connections = [Exec(""), Exec(good), Exec(""), Exec(good)]
    monkeypatch.setattr("ops.kube.streams.stream", lambda *_, **__: connections.pop(0))
    assert api.cluster().run("x", "postgres", ["true"]) == Ran(0, "1\n", "")
    with pytest.raises(BrokenError):
        api.cluster().run("x", "postgres", ["true"], once=True)
    assert len(connections) == 1


@pytest.mark.parametrize(("url", "without", "expected"), PROXY_CASES)
def test_a_cluster_is_reached_through_the_proxy_where_kubectl_does(
    url: str, without: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", without)
    assert proxied(url) == expected


def test_a_kubeconfigs_own_proxy_is_used_whatever_the_environment_says(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    there = "http://cluster.example.com:6443"
    api.answers = {f"{there}{path}": answer for path, answer in api.answers.items()}
    api.answers[f"{there}/api/v1/nodes/n"] = {"metadata": {}}
    kubeconfig = api.kubeconfig(server=there, **{"proxy-url": api.url})
    # On one line, as JSON often is: the contents, no path.
    assert Cluster(json.dumps(kubeconfig), "x", "todo-app").find("Node", "n") == {"metadata": {}}
