"""What `make up` notices before it says that nothing changed, and before it prints an address."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, TCPServer
from typing import Any

import pytest

from console.failure import Failure
from tests.certificates import HOST, authority, server_certificate, serving
from tests.programs import run_program, stack_settings
from toolchain import addresses, environment, health, internet
from toolchain.kubectl import Kubectl, KubectlError
from toolchain.readiness import is_ready
from toolchain.stack import Stack

OUTPUTS = {"kubeconfig": "/its/kubeconfig", "kubeContext": "its-context"}


class Cluster:
    """Answers `kubectl get` with the objects that it has, and remembers how it was asked."""

    def __init__(self, manifests: list[dict[str, Any]]) -> None:
        self.objects = [
            {
                "kind": m["kind"],
                "metadata": {"name": m["metadata"]["name"], "generation": 2},
                "spec": m.get("spec"),
                "status": m.get("status", {}),
            }
            for m in manifests
        ]
        self.asked: list[list[str]] = []

    def __call__(self, words: list[str]) -> str:
        self.asked.append(words)
        kinds = {kind.partition(".")[0] for kind in words[words.index("get") + 1].split(",")}
        return json.dumps({"items": [o for o in self.objects if o["kind"] in kinds]})


def answered(monkeypatch: pytest.MonkeyPatch, answer: Callable[[list[str]], str]) -> None:
    """Has kubectl's commands answered, given as the words that a person would type."""

    def run(kubectl: Kubectl, *arguments: str, seconds: float = 60) -> str:
        del seconds
        return answer(kubectl.command(*arguments).split())

    monkeypatch.setattr(Kubectl, "__call__", run)
    monkeypatch.setattr(health, "is_installed", lambda _: True)


def silent(_: list[str]) -> str:
    raise KubectlError("no answer within 60 s")


@pytest.fixture
def export() -> dict[str, Any]:
    state = run_program(stack_settings("minikube")).export()
    for resource in state["deployment"]["resources"]:
        metadata = resource["outputs"].get("metadata")
        if isinstance(metadata, dict):
            resource["outputs"] = {
                **resource["outputs"],
                "metadata": {"name": resource["urn"].rsplit("::", 1)[1], **metadata},
            }
    return state


def objects(export: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        r["outputs"]
        for r in export["deployment"]["resources"]
        if r["type"].startswith("kubernetes:") and "metadata" in r["outputs"]
    ]


def test_nothing_is_lost_when_everything_is_there(
    export: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster(objects(export))
    answered(monkeypatch, cluster)
    assert not health.look("minikube", export, OUTPUTS).missing
    for words in cluster.asked:
        assert words[words.index("--kubeconfig") + 1] == "/its/kubeconfig"
        assert words[words.index("--context") + 1] == "its-context"


def test_a_namespace_that_was_deleted_is_noticed_with_all_that_was_in_it(
    export: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(monkeypatch, Cluster([]))
    lost = health.look("minikube", export, OUTPUTS).missing
    assert len(lost.objects) == len(objects(export))
    assert "Namespace todo-app" in lost.objects


@pytest.mark.parametrize("kind", ["Deployment", "Service", "NetworkPolicy", "Secret", "CronJob"])
def test_any_object_that_was_deleted_is_noticed(
    kind: str, export: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = objects(export)
    gone = next(o for o in there if o["kind"] == kind)
    answered(monkeypatch, Cluster([o for o in there if o is not gone]))
    lost = health.look("minikube", export, OUTPUTS).missing
    assert lost.objects == (f"{kind} {gone['metadata']['name']}",)


def test_a_kubeconfig_that_the_stack_has_in_itself_is_on_no_command_line(
    export: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster(objects(export))
    answered(monkeypatch, cluster)
    contents = "apiVersion: v1\nusers: [{user: {token: hunter2}}]\n"
    assert not health.look("minikube", export, {**OUTPUTS, "kubeconfig": contents}).missing
    assert cluster.asked
    assert "hunter2" not in str(cluster.asked)


def test_before_the_first_update_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    answered(monkeypatch, Cluster([]))
    assert not health.look("minikube", {"version": 3, "deployment": None}, {}).missing


def with_status(manifest: dict[str, Any], status: dict[str, int]) -> dict[str, Any]:
    return {**manifest, "metadata": {**manifest["metadata"], "generation": 2}, "status": status}


def running(manifest: dict[str, Any]) -> dict[str, Any]:
    pods = manifest.get("spec", {}).get("replicas", 1)
    counts = {"replicas": pods, "updatedReplicas": pods, "readyReplicas": pods}
    return with_status(manifest, {"observedGeneration": 2, **counts})


def test_workloads_that_run_are_ready(
    export: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster([running(it) for it in objects(export)])
    answered(monkeypatch, cluster)
    assert health.look("minikube", export, OUTPUTS).unready == ()


@pytest.mark.parametrize("kind", ["StatefulSet", "Deployment"])
def test_a_workload_whose_pods_an_earlier_update_broke_is_named(
    kind: str, export: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = [running(it) for it in objects(export)]
    broken = next(it for it in there if it["kind"] == kind)
    broken["status"].pop("readyReplicas")
    answered(monkeypatch, Cluster(there))
    looked = health.look("minikube", export, OUTPUTS)
    assert looked.unready == (f"{kind} {broken['metadata']['name']}",)
    assert not looked.missing


@pytest.mark.parametrize("installed", [True, False], ids=["cluster", "kubectl"])
def test_no_workload_is_taken_for_ready_where_nobody_answers(
    installed: bool, export: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(monkeypatch, silent)
    if not installed:
        monkeypatch.setattr(health, "is_installed", lambda _: False)
    looked = health.look("minikube", export, OUTPUTS)
    assert set(looked.unready) == {
        "Deployment backend",
        "Deployment frontend",
        "StatefulSet postgres",
    }
    assert not looked.missing


@pytest.mark.parametrize(
    ("wanted", "observed", "pods", "updated", "ready", "expected", "what"),
    [
        (2, 2, 2, 2, 2, True, "all run"),
        (0, 2, 0, 0, 0, True, "somebody scaled it down"),
        (5, 2, 5, 5, 5, True, "an autoscaler wanted more"),
        (2, 1, 2, 2, 2, False, "its controller has not seen the change"),
        (1, 2, 1, 0, 0, False, "a pod of the former template is stuck"),
        (1, 2, 1, 0, 1, False, "a pod of the former template still runs"),
        (1, 2, 1, 1, 0, False, "the pod does not start"),
        (2, 2, 3, 2, 2, False, "the last pod but one is ready, the former one still there"),
        (2, 2, 1, 1, 1, False, "a pod cannot be made"),
    ],
)
def test_a_workload_is_ready_when_all_pods_are_and_of_its_last_template(
    wanted: int, observed: int, pods: int, updated: int, ready: int, expected: bool, what: str
) -> None:
    counts = {"replicas": pods, "updatedReplicas": updated, "readyReplicas": ready}
    # As the API server writes it: what is 0 is left out.
    status = {"observedGeneration": observed} | {key: it for key, it in counts.items() if it}
    manifest: dict[str, Any] = {"metadata": {}, "spec": {"replicas": wanted}}
    assert is_ready(with_status(manifest, status)) is expected, what


@pytest.mark.parametrize(
    ("reason", "there", "again"),
    [
        ("ImagePullBackOff", True, True),
        ("ErrImageNeverPull", True, True),
        ("ImagePullBackOff", False, False),
        ("CrashLoopBackOff", True, False),
    ],
)
def test_a_pod_that_waits_for_an_image_which_is_there_again_starts_at_once(
    reason: str,
    there: bool,
    again: bool,
    export: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = "localhost/todo/backend:1"
    state = {"image": image, "state": {"waiting": {"reason": reason}}}
    deployment = next(o for o in objects(export) if o["kind"] == "Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    owned = {"ownerReferences": [{"kind": "ReplicaSet"}]}
    metadata = {"name": "backend-1", "labels": labels, **owned}
    pods = [
        {"metadata": metadata, "status": {"initContainerStatuses": [state]}},
        {"metadata": {"name": "a-persons"}, "status": {"containerStatuses": [state]}},
        {"metadata": {"name": "anothers", **owned}, "status": {"containerStatuses": [state]}},
    ]
    asked: list[list[str]] = []

    def answer(words: list[str]) -> str:
        asked.append(words)
        return json.dumps({"items": pods})

    answered(monkeypatch, answer)
    images = {"backend": image if there else "localhost/todo/backend:2", "database": None}
    health.retry_images("minikube", {**OUTPUTS, "namespace": "todo-app", "images": images})
    deleted = [words[words.index("delete") :] for words in asked if "delete" in words]
    assert deleted == (
        [["delete", "pods", "--namespace", "todo-app", "backend-1"]] if again else []
    )


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path in ("/api/ready", "/ready") else 404)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the server's name
        """Says nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Answer)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def addresses_of(
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    frontend: str,
    backend: str,
    found: dict[str, str] | None = None,
) -> list[str]:
    monkeypatch.setattr(Stack, "settings", lambda _: {"cluster": {"kind": kind}})
    monkeypatch.setattr(health, "ANSWER_TIMEOUT_SECONDS", 0)
    cluster = {"nodeAddress": "127.0.0.1"} if found is None else found
    monkeypatch.setattr(environment, "found_out", lambda _: {"cluster": cluster})
    outputs = {"frontendUrl": frontend, "backendUrl": backend}
    return addresses.answering(Stack("minikube"), outputs)


def test_addresses_that_answer_are_printed(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = addresses_of(monkeypatch, "local", address, address)
    assert [line.split()[-1] for line in lines] == [address, address]


def test_an_address_that_does_not_answer_is_a_failure_and_not_printed(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Failure, match=r"Backend API.*does not answer.*make validate"):
        addresses_of(monkeypatch, "local", address, "http://127.0.0.1:1")
    with pytest.raises(Failure, match=r"it answers 404"):
        addresses_of(monkeypatch, "local", f"{address}/elsewhere", address)


def test_a_node_in_a_virtual_machine_may_have_no_way_to_it(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = addresses_of(monkeypatch, "local", address, "http://127.0.0.1:1", found={})
    assert "no way leads from here" in lines[1]
    assert "make forward" in lines[1]
    with pytest.raises(Failure, match="it answers 404"):
        addresses_of(monkeypatch, "local", f"{address}/elsewhere", address, found={})


def test_what_answers_here_is_not_taken_for_a_node_that_no_way_leads_to(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of two clusters side by side the other one has the ports of this machine.
    lines = addresses_of(monkeypatch, "local", address, address, {"provider": "minikube"})
    assert ["no way leads from here to the node; `make forward`" in it for it in lines] == [
        True
    ] * 2
    assert not any(address in it for it in lines)


def test_the_next_command_goes_to_the_stacks_own_cluster() -> None:
    outputs = {"namespace": "todo-app", "kubeContext": "kind-todo"}
    assert addresses.pods(outputs) == "kubectl --context kind-todo get pods -n todo-app"
    assert addresses.pods({"namespace": "todo-app"}) == "kubectl get pods -n todo-app"


def test_a_load_balancer_may_still_be_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = addresses_of(
        monkeypatch, "managed", "http://127.0.0.1:1", "http://backend.todo-app.svc:8000"
    )
    assert "does not answer from here yet" in lines[0]
    assert "inside the cluster only" in lines[1]


def test_a_host_of_this_machine_is_asked_here_and_believed_by_the_clusters_authority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses, "_ROUTE_SECONDS", 0)
    monkeypatch.setattr(Stack, "settings", lambda _: {"cluster": {"kind": "local"}})
    monkeypatch.setattr(environment, "found_out", lambda _: {})
    signer = authority(tmp_path, "local")
    text = json.dumps({"data": {"ca.crt": signer[0].read_text()}})
    answered(monkeypatch, lambda _: text)
    with serving(*server_certificate(tmp_path, HOST, signer)) as url:
        named = {"namespace": "gateway", "configMap": "public-authority"}
        outputs: dict[str, Any] = {
            **OUTPUTS,
            "frontendUrl": url,
            "backendUrl": "http://b.todo-app.svc:1",
        }
        (line, _) = addresses.answering(Stack("minikube"), outputs)
        assert "does not answer from here yet" in line
        assert "CERTIFICATE_VERIFY_FAILED" in line
        services = [{"url": url, "authority": named}]
        outputs["operations"] = {"services": services}
        (line, _) = addresses.answering(Stack("minikube"), outputs)
        assert line.split()[-1] == url


class _Other(StreamRequestHandler):
    """Speaks first, as no server of HTTP does."""

    def handle(self) -> None:
        self.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")


def test_what_speaks_no_http_is_an_answer_of_somebody_else() -> None:
    with TCPServer(("127.0.0.1", 0), _Other) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        refusal = health.wait_until_answering(url, "/ready", 0)
        assert refusal == "what answers there speaks no HTTP"
        assert not internet.answers(url)
        server.shutdown()
