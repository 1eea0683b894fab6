"""What the cluster says about its objects, and what is done when it says nothing."""

import json
import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pulumi
import pytest

from components.cluster.client import ClusterApi
from components.cluster.kubeconfig import current_context
from components.cluster.live_objects import LiveObjects
from components.cluster.proxy import proxied
from components.cluster.remedies import Remedies
from tests.proxy_cases import PROXY_CASES

ROUTES = "/apis/gateway.networking.k8s.io/v1"
ROUTE = f"{ROUTES}/namespaces/shop/httproutes/frontend"
SERVED = {
    "resources": [
        {"name": "httproutes/status", "kind": "HTTPRoute", "namespaced": True},
        {"name": "httproutes", "kind": "HTTPRoute", "namespaced": True},
        {"name": "gatewayclasses", "kind": "GatewayClass", "namespaced": False},
    ]
}


class Api(HTTPServer):
    """An API server that knows a few paths, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, tuple[int, dict[str, Any]]] = {ROUTES: (200, SERVED)}
        self.asked: list[tuple[str, str, Any]] = []
        self.busy: list[int] = []
        """What the next requests are answered instead; 0: the connection is closed."""


class _Handler(BaseHTTPRequestHandler):
    server: Api  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size)) if size else None
        self.server.asked.append((self.command, self.path, body))
        status, answer = self.server.answers.get(self.path, (404, {"kind": "Status"}))
        status = self.server.busy.pop(0) if self.server.busy else status
        if not status:
            return
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_PATCH = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setattr("components.cluster.client._PAUSES", (0.0, 0.0, 0.0))
    with Api() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def objects_of(folder: Path, port: int) -> LiveObjects:
    return objects_at(folder, {"server": f"http://127.0.0.1:{port}"})


def objects_at(folder: Path, address: dict[str, str]) -> LiveObjects:
    kubeconfig = folder / "kubeconfig"
    cluster = {"name": "it", "cluster": address}
    context = {"name": "it", "context": {"cluster": "it", "user": "me"}}
    kubeconfig.write_text(
        json.dumps(
            {"clusters": [cluster], "contexts": [context], "users": [{"name": "me", "user": {}}]}
        ),
        encoding="utf-8",
    )
    return LiveObjects(ClusterApi(kubeconfig=str(kubeconfig), context="it"))


@pytest.fixture
def live(api: Api, tmp_path: Path) -> LiveObjects:
    return objects_of(tmp_path, api.server_port)


def find_route(live: LiveObjects) -> object:
    return live.find("gateway.networking.k8s.io/v1", "HTTPRoute", "shop", "frontend")


def test_an_object_of_any_kind_is_found(api: Api, live: LiveObjects) -> None:
    api.answers[ROUTE] = 200, {"metadata": {"name": "frontend"}}
    assert find_route(live) == {"metadata": {"name": "frontend"}}
    assert find_route(live)
    assert [path for _, path, _ in api.asked] == [ROUTES, ROUTE, ROUTE]


def test_an_object_without_a_namespace_is_found(api: Api, live: LiveObjects) -> None:
    api.answers[f"{ROUTES}/gatewayclasses/nginx"] = 200, {"metadata": {"name": "nginx"}}
    assert live.find("gateway.networking.k8s.io/v1", "GatewayClass", None, "nginx")


def test_what_is_not_there_is_not_found(live: LiveObjects) -> None:
    assert find_route(live) is None
    assert live.find("gateway.networking.k8s.io/v1", "Unknown", "shop", "x") is None
    assert live.find("example.com/v1", "Unknown", "shop", "x") is None


def test_the_cluster_says_which_kinds_it_has_and_is_asked_once(api: Api, live: LiveObjects) -> None:
    assert live.serves("gateway.networking.k8s.io/v1", "HTTPRoute")
    assert not live.serves("gateway.networking.k8s.io/v1", "Unknown")
    assert not live.serves("monitoring.coreos.com/v1", "ServiceMonitor")
    assert not live.serves("monitoring.coreos.com/v1", "ServiceMonitor")
    assert [path for _, path, _ in api.asked] == [ROUTES, "/apis/monitoring.coreos.com/v1"]


def test_a_cluster_that_does_not_say_which_kinds_it_has_is_not_said_to_lack_one(
    api: Api, live: LiveObjects
) -> None:
    api.answers["/apis/monitoring.coreos.com/v1"] = 503, {}
    with pytest.raises(pulumi.RunError, match="does not tell"):
        live.serves("monitoring.coreos.com/v1", "ServiceMonitor")


def test_an_annotation_is_added(api: Api, live: LiveObjects) -> None:
    api.answers[ROUTE] = 200, {}
    where = ("gateway.networking.k8s.io/v1", "HTTPRoute", "shop", "frontend")
    live.annotate(*where, {"a": "b"})
    assert api.asked[-1] == ("PATCH", ROUTE, {"metadata": {"annotations": {"a": "b"}}})


@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_an_object_that_may_not_be_seen_may_exist(api: Api, live: LiveObjects, status: int) -> None:
    api.answers[ROUTE] = status, {}
    with pytest.raises(pulumi.RunError, match=rf"(?s)does not tell.*{ROUTE}.*HTTP {status}"):
        find_route(live)


@pytest.mark.parametrize("answers", [[503], [0], [429, 500, 504]])
def test_a_cluster_that_is_busy_for_a_moment_is_asked_again(
    api: Api, live: LiveObjects, answers: list[int]
) -> None:
    api.answers[ROUTE] = 200, {"metadata": {"name": "frontend"}}
    api.busy = answers
    assert find_route(live)


def test_what_is_refused_is_not_asked_again(api: Api, live: LiveObjects) -> None:
    api.answers[ROUTE] = 403, {}
    with pytest.raises(pulumi.RunError):
        find_route(live)
    assert [path for _, path, _ in api.asked] == [ROUTES, ROUTE]


def test_a_cluster_that_does_not_answer_is_said_so_in_one_sentence(tmp_path: Path) -> None:
    server = Api()
    server.server_close()
    with pytest.raises(pulumi.RunError, match="does not tell") as error:
        find_route(objects_of(tmp_path, server.server_port))
    assert "\n" not in str(error.value)


def test_a_kubeconfig_that_is_missing_is_said_so_in_one_sentence(tmp_path: Path) -> None:
    api = ClusterApi(
        kubeconfig=str(tmp_path / "none"),
        context="it",
        remedies=Remedies(correct_cluster="correct shop:cluster"),
    )
    with pytest.raises(pulumi.RunError, match="no usable context it") as error:
        find_route(LiveObjects(api))
    assert "\n" not in str(error.value)
    assert str(error.value).endswith(": correct shop:cluster")


def test_the_current_context_is_that_of_the_first_file_as_for_kubectl(tmp_path: Path) -> None:
    files: list[str] = []
    for name in ("none", "first", "last"):
        file = tmp_path / name
        file.write_text("" if name == "none" else f"current-context: {name}\n", encoding="utf-8")
        files.append(str(file))
    assert current_context(os.pathsep.join([str(tmp_path / "missing"), *files])) == "first"
    assert current_context(str(tmp_path / "none")) is None


@pytest.mark.parametrize(("url", "without", "expected"), PROXY_CASES)
def test_a_proxy_is_used_where_kubectl_uses_it(
    monkeypatch: pytest.MonkeyPatch, url: str, without: str, expected: bool
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", without)
    assert proxied(url) is expected


def test_a_cluster_on_this_machine_is_asked_without_the_proxy(
    monkeypatch: pytest.MonkeyPatch, api: Api, live: LiveObjects
) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    api.answers[ROUTE] = 200, {"metadata": {"name": "frontend"}}
    assert find_route(live)


def test_a_kubeconfigs_own_proxy_is_used_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, api: Api, tmp_path: Path
) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    url = "http://cluster.example.com:6443"
    proxy = f"http://127.0.0.1:{api.server_port}"
    api.answers = {url + ROUTES: (200, SERVED), url + ROUTE: (200, {"kind": "HTTPRoute"})}
    assert find_route(objects_at(tmp_path, {"server": url, "proxy-url": proxy}))


def test_the_environments_proxy_is_used_where_the_kubeconfig_names_none(
    monkeypatch: pytest.MonkeyPatch, api: Api, tmp_path: Path
) -> None:
    for name in ("no_proxy", "NO_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{api.server_port}")
    url = "http://cluster.example.com:6443"
    api.answers = {url + ROUTES: (200, SERVED), url + ROUTE: (200, {"kind": "HTTPRoute"})}
    assert find_route(objects_at(tmp_path, {"server": url}))
