"""What set-up decides by what kind and its Docker answer."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from components.image.node_stores import kind_nodes
from console.failure import Failure
from tests.unit.fake_tools import Tools, recorded
from toolchain import paths
from toolchain.providers import docker, kind, kubeconfig
from toolchain.providers.kind import Kind
from toolchain.providers.provider import Cluster

PORTS = (30000, 30001)
LABEL = "label=io.x-k8s.kind.cluster"
LISTED = f"docker ps --all --no-trunc --filter {LABEL}"
NODE = "todo-control-plane"
CIDR = f"docker exec {NODE} grep cluster-cidr="
READY = f"docker exec {NODE} kubectl --kubeconfig=/etc/kubernetes/admin.conf get --raw=/readyz"


@pytest.fixture(autouse=True)
def machine(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> Tools:
    """Docker, kubectl and kind with a running cluster todo, as they were recorded."""
    tools.answer("kubectl config current-context", code=1)
    tools.answer("docker info", recorded("docker/28.2.2-info-native.txt"))
    tools.answer(LISTED, recorded("kind/0.33-docker-ps.txt"))
    tools.answer(f"{LISTED}=todo", recorded("kind/0.33-docker-ps-todo.txt"))
    inspected = recorded("docker/20.10-inspect-kind-todo.txt")
    tools.answer(f"docker container inspect {NODE}", inspected)
    tools.answer(CIDR, "    - --cluster-cidr=10.244.0.0/16\n")
    tools.answer("kind get kubeconfig --name todo", recorded("kind/0.33-kubeconfig-todo.txt"))
    tools.answer("kubectl config view --raw --output=json", json.dumps(view()))
    monkeypatch.setattr(docker, "_taken", lambda _: False)
    return tools


def view(**cluster: str) -> dict[str, Any]:
    """The person's kubeconfig as kind writes it, with something else in the cluster's entry."""
    entry = {
        "server": "https://127.0.0.1:42291",
        "certificate-authority-data": "LS0tLS1DRVJUSUZJQ0FURQo=",
    }
    return {
        "kind": "Config",
        "clusters": [{"name": "kind-todo", "cluster": entry | cluster}],
        "contexts": [{"name": "kind-todo", "context": {"cluster": "kind-todo", "user": "it"}}],
        "users": None,
    }


def inspected(**ports: str) -> str:
    """The recorded node, with its NodePorts mapped to these."""
    nodes = json.loads(recorded("docker/20.10-inspect-kind-todo.txt"))
    mappings = nodes[0]["NetworkSettings"]["Ports"]
    for port, host in ports.items():
        mappings[f"{port[1:]}/tcp"] = [{"HostIp": "127.0.0.1", "HostPort": host}]
    return json.dumps(nodes)


class TestClusters:
    def test_are_listed_with_one_command(self, tools: Tools) -> None:
        assert Kind().clusters() == [Cluster(name="todo", running=True)]
        assert len(tools.asked) == 1

    def test_run_when_all_their_nodes_do(self, tools: Tools) -> None:
        rows = recorded("kind/0.33-docker-ps-several.txt")
        half = "half-control-plane\trunning\thalf\nhalf-worker\texited\thalf\n"
        tools.answer(LISTED, rows + half)
        running = {it.name: it.running for it in Kind().clusters()}
        assert running == {"ha": True, "half": False, "todo": False}

    def test_are_none_where_there_are_none(self, tools: Tools) -> None:
        # `kind get clusters` says so on standard error.
        tools.answer(LISTED, "")
        assert Kind().clusters() == []

    def test_are_none_where_docker_is_stopped(self, tools: Tools) -> None:
        tools.answer(LISTED, code=1, errors="Cannot connect to the Docker daemon")
        assert Kind().clusters() == []

    def test_are_none_where_there_is_no_docker(self, tools: Tools) -> None:
        (tools.path / "docker").unlink()
        assert Kind().clusters() == []

    def test_have_contexts_called_after_them(self, tools: Tools) -> None:
        assert Kind().named_by("kind-my-own") == "my-own"
        assert Kind().named_by("minikube") is None
        assert not tools.asked


class TestStart:
    def test_leaves_a_running_cluster_alone(self, tools: Tools) -> None:
        Kind().start("todo", PORTS)
        assert len(tools.asked) == 2
        assert not tools.of("docker start")
        assert not tools.of("kind create")

    def test_starts_the_nodes_of_a_stopped_one_and_waits_for_its_api_server(
        self, tools: Tools, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("time.sleep", lambda _: None)
        tools.answer(f"{LISTED}=todo", recorded("kind/0.33-docker-ps-todo-stopped.txt"))
        tools.answer("docker start", becomes="started")
        tools.answer(READY, code=1, errors="connection refused", when="started", becomes="soon")
        tools.answer(READY, "ok", when="soon")
        Kind().start("todo", PORTS)
        assert tools.of("docker start")[0].text == f"docker start {NODE} todo-worker"
        assert len(tools.of("docker exec")) == 2

    def test_gives_up_on_an_api_server_that_does_not_come(
        self, tools: Tools, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kind, "_TIMEOUT_SECONDS", -1.0)
        tools.answer(f"{LISTED}=todo", recorded("kind/0.33-docker-ps-todo-stopped.txt"))
        tools.answer("docker start")
        tools.answer(READY, code=1, errors="connection refused")
        monkeypatch.setattr(kind, "_docker", lambda *_: None)
        with pytest.raises(Failure, match=r"refused.*kind delete cluster --name todo"):
            Kind().start("todo", PORTS)

    def test_says_which_port_of_a_stopped_one_is_taken(self, tools: Tools) -> None:
        tools.answer(f"{LISTED}=todo", recorded("kind/0.33-docker-ps-todo-stopped.txt"))
        errors = (
            "Error response from daemon: driver failed programming external connectivity on "
            "endpoint todo: Bind for 127.0.0.1:30000 failed: port is already allocated\n"
            "Error: failed to start containers: todo-control-plane\n"
        )
        tools.answer("docker start", code=1, errors=errors)
        with pytest.raises(Failure, match="30000 failed: port is already allocated"):
            Kind().start("todo", PORTS)

    def created(self, tools: Tools) -> dict[str, Any]:
        tools.answer(f"{LISTED}=todo", "")
        tools.answer("kind create cluster")
        Kind().start("todo", PORTS)
        (call,) = tools.of("kind create")
        words = call.text.split()
        assert words[:5] == ["kind", "create", "cluster", "--name", "todo"]
        file = Path(words[words.index("--config") + 1])
        assert file.is_relative_to(paths.LOCAL)
        return json.loads(file.read_text())

    def test_makes_one_with_the_ports_mapped_to_this_machine_alone(self, tools: Tools) -> None:
        (node,) = self.created(tools)["nodes"]
        mappings = node["extraPortMappings"]
        assert [it["containerPort"] for it in mappings] == [30000, 30001]
        assert all(it["hostPort"] == it["containerPort"] for it in mappings)
        assert {it["listenAddress"] for it in mappings} == {"127.0.0.1"}

    @pytest.mark.parametrize(
        ("before", "after", "put_back"),
        [("production", "kind-todo", True), ("", "kind-todo", False), ("kind-todo", "", False)],
    )
    @pytest.mark.parametrize("code", [0, 1])
    def test_leaves_the_persons_current_context(
        self,
        tools: Tools,
        capsys: pytest.CaptureFixture[str],
        before: str,
        after: str,
        code: int,
        *,
        put_back: bool,
    ) -> None:
        current = "kubectl config current-context"
        tools.answer(f"{LISTED}=todo", "")
        tools.answer(current, before, code=0 if before else 1)
        tools.answer("kind create cluster", code=code, becomes="made")
        tools.answer(current, after, code=0 if after else 1, when="made")
        tools.answer("kubectl config use-context")
        with suppress(Failure):
            Kind().start("todo", PORTS)
        asked = [it.text for it in tools.of("kubectl config use-context")]
        assert asked == ["kubectl config use-context production"] * put_back
        said = "your kubeconfig has the context kind-todo by now; current stays production"
        assert (said in capsys.readouterr().out) == put_back

    def test_maps_no_port_that_is_taken(
        self, tools: Tools, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(docker, "_taken", lambda port: port == 30001)
        (node,) = self.created(tools)["nodes"]
        assert [it["hostPort"] for it in node["extraPortMappings"]] == [30000]
        assert "port 30001 is taken" in capsys.readouterr().out

    def test_fails_with_kinds_reason(self, tools: Tools) -> None:
        tools.answer(f"{LISTED}=todo", "")
        log = recorded("kind/0.33-create-port-in-use.txt")
        tools.answer("kind create cluster", errors=log, code=1)
        with pytest.raises(Failure, match="30001 failed: port is already allocated"):
            Kind().start("todo", PORTS)

    def test_needs_kind(self, tools: Tools) -> None:
        (tools.path / "kind").unlink()
        with pytest.raises(Failure, match="kind-linux-") as failure:
            Kind().start("todo", PORTS)
        assert "\n" not in str(failure.value)
        assert not tools.asked

    def test_needs_docker_that_runs(self, tools: Tools) -> None:
        stopped = recorded("docker/28.2.2-info-stopped.txt")
        tools.answer("docker info", stopped, code=1, errors="Cannot connect to the Docker daemon")
        with pytest.raises(Failure, match="kind cluster todo needs Docker"):
            Kind().start("todo", PORTS)

    def test_refuses_nodes_that_are_not_dockers(
        self, tools: Tools, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KIND_EXPERIMENTAL_PROVIDER", "podman")
        with pytest.raises(Failure, match=r"'podman'.*unset KIND_EXPERIMENTAL_PROVIDER"):
            Kind().start("todo", PORTS)


class TestFound:
    def test_tells_context_address_and_archives(self, tools: Tools) -> None:
        mapped = inspected(p30000="30000", p30001="30001")
        tools.answer(f"docker container inspect {NODE}", mapped)
        assert Kind().found("todo", PORTS) == {
            "cluster": {
                "provider": "kind",
                "name": "todo",
                "context": "kind-todo",
                "nodeAddress": "127.0.0.1",
                "podCidr": "10.244.0.0/16",
            },
            "images": {"mode": "load", "builder": {"name": "default", "exporter": "archive"}},
        }

    def test_asks_little_of_a_running_cluster(self, tools: Tools) -> None:
        provider = Kind()
        provider.start("todo", PORTS)
        provider.found("todo", PORTS)
        assert [it.split(" --format")[0] for it in tools.asked] == [
            "docker info",
            f"{LISTED}=todo",
            "kind get kubeconfig --name todo",
            "kubectl config view --raw --output=json",
            f"docker container inspect {NODE}",
            f"{CIDR} /etc/kubernetes/manifests/kube-controller-manager.yaml",
        ]

    @pytest.mark.parametrize(
        ("said", "pods"),
        [
            ("    - --cluster-cidr=10.244.0.0/16,fd00:10:244::/56\n", "10.244.0.0/16"),
            ("    - --cluster-cidr=fd00:10:244::/56\n", "fd00:10:244::/56"),
            ("", None),
        ],
    )
    def test_tells_which_addresses_are_pods(
        self, said: str, pods: str | None, tools: Tools
    ) -> None:
        tools.answer(CIDR, said)
        assert Kind().found("todo", PORTS)["cluster"].get("podCidr") == pods

    def test_takes_the_nodes_address_where_the_ports_are_mapped_to_others(self) -> None:
        # As recorded: 30000 answers on 31000.
        assert Kind().found("todo", PORTS)["cluster"]["nodeAddress"] == "172.18.0.2"

    def test_names_no_address_that_cannot_be_reached(self, tools: Tools) -> None:
        tools.answer("docker info", recorded("docker/28.2.2-info-desktop-macos.txt"))
        found = Kind().found("todo", PORTS)
        assert "nodeAddress" not in found["cluster"]
        assert found["images"]["builder"]["name"] == "desktop-linux"

    def test_looks_past_what_stands_before_several_api_servers(self, tools: Tools) -> None:
        rows = (
            "ha-external-load-balancer\trunning\texternal-load-balancer\n"
            "ha-control-plane\trunning\tcontrol-plane\n"
        )
        tools.answer("docker exec ha-control-plane grep cluster-cidr=", "")
        tools.answer(f"{LISTED}=ha", rows)
        nodes = json.loads(recorded("docker/20.10-inspect-kind-todo.txt"))
        balancer = json.loads(inspected(p30000="30000", p30001="30001"))[0]
        balancer["Config"]["Labels"]["io.x-k8s.kind.role"] = "external-load-balancer"
        call = "docker container inspect ha-control-plane ha-external-load-balancer"
        tools.answer(call, json.dumps([balancer, *nodes]))
        tools.answer("kind get kubeconfig --name ha", recorded("kind/0.33-kubeconfig-todo.txt"))
        assert Kind().found("ha", PORTS)["cluster"]["nodeAddress"] == "172.18.0.2"

    def test_a_control_plane_without_pods_answers_on_no_node_port(self, tools: Tools) -> None:
        rows = f"{NODE}\trunning\tcontrol-plane\ntodo-worker\trunning\tworker\n"
        tools.answer(f"{LISTED}=todo", rows)
        control = json.loads(inspected(p30000="30000", p30001="30001"))[0]
        worker = json.loads(recorded("docker/20.10-inspect-kind-todo.txt"))[0]
        worker["NetworkSettings"]["Networks"]["kind"]["IPAddress"] = "172.18.0.9"
        worker["Config"]["Labels"]["io.x-k8s.kind.role"] = "worker"
        call = f"docker container inspect {NODE} todo-worker"
        tools.answer(call, json.dumps([control, worker]))
        assert Kind().found("todo", PORTS)["cluster"]["nodeAddress"] == "172.18.0.9"

    @pytest.mark.parametrize(
        "other",
        [
            {"server": "https://127.0.0.1:1111"},
            {"certificate-authority-data": "b3RoZXI="},
        ],
        ids=["server", "authority"],
    )
    def test_writes_a_kubeconfig_where_the_persons_leads_elsewhere(
        self, other: dict[str, str], tools: Tools
    ) -> None:
        tools.answer("kubectl config view --raw --output=json", json.dumps(view(**other)))
        file = Path(Kind().found("todo", PORTS)["cluster"]["kubeconfig"])
        assert file == kubeconfig.path("kind", "todo")
        assert file.read_text() == recorded("kind/0.33-kubeconfig-todo.txt")
        assert file.stat().st_mode & 0o77 == 0

    def test_writes_a_kubeconfig_where_the_persons_has_none(self, tools: Tools) -> None:
        empty = '{"kind": "Config", "clusters": null, "users": null, "contexts": null}'
        tools.answer("kubectl config view --raw --output=json", empty)
        assert "kubeconfig" in Kind().found("todo", PORTS)["cluster"]

    def test_of_a_cluster_that_is_gone_is_said(self, tools: Tools) -> None:
        errors = "ERROR: could not locate any control plane nodes for cluster named 'todo'.\n"
        tools.answer("kind get kubeconfig --name todo", code=1, errors=errors)
        with pytest.raises(Failure, match="kind get clusters"):
            Kind().found("todo", PORTS)


class TestEnd:
    def test_stops_the_nodes_that_run(self, tools: Tools) -> None:
        tools.answer("docker stop")
        Kind().stop("todo")
        assert tools.of("docker stop")[0].text == f"docker stop {NODE}"
        tools.answer(f"{LISTED}=todo", recorded("kind/0.33-docker-ps-todo-stopped.txt"))
        tools.forget()
        Kind().stop("todo")
        assert not tools.of("docker stop")

    def test_removes_the_cluster_and_its_kubeconfig(self, tools: Tools) -> None:
        kubeconfig.path("kind", "todo").write_text("")
        tools.answer("kind delete cluster")
        Kind().delete("todo")
        assert tools.asked == ["kind delete cluster --name todo"]
        assert not kubeconfig.path("kind", "todo").exists()


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        ("daemonsets-kind-0.33", "enforced by kindnet"),
        ("daemonsets-kind-0.23", "nothing in this cluster enforces them"),
        ("daemonsets-calico", "enforced by Calico"),
    ],
)
def test_policies_are_enforced_by_kindnet_since_0_24(sets: str, said: str, tools: Tools) -> None:
    tools.answer("kubectl --context kind-todo", recorded(f"kubectl/{sets}.txt"))
    logs = "kubectl --context kind-todo --request-timeout=15s --namespace=kube-system logs"
    tools.answer(logs, "Syncing nftables rules\n")
    assert said in Kind().policies("todo")


def test_the_program_finds_the_nodes_by_the_same_labels() -> None:
    nodes = kind_nodes("todo")
    assert (nodes.label, nodes.role) == (f"{kind._CLUSTER}=todo", kind._ROLE)  # pyright: ignore[reportPrivateUsage]
    assert set(nodes.node_roles) <= set(kind._ORDER)  # pyright: ignore[reportPrivateUsage]


def test_policies_that_kindnet_cannot_enforce_are_not_called_enforced(tools: Tools) -> None:
    sets = recorded("kubectl/daemonsets-kind-0.33.txt")
    tools.answer("kubectl --context kind-todo", sets)
    logs = "kubectl --context kind-todo --request-timeout=15s --namespace=kube-system logs"
    tools.answer(logs, recorded("kubectl/logs-kindnet-without-nft-queue.txt"))
    assert "nothing in this cluster enforces them: kindnet cannot" in Kind().policies("todo")
