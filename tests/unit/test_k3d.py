"""What set-up decides by what k3d and its Docker answer."""

import json
from pathlib import Path

import pytest

from console.failure import Failure
from tests.unit.fake_tools import Tools, recorded
from toolchain.providers import docker, kubeconfig
from toolchain.providers.k3d import K3d
from toolchain.providers.provider import Cluster

PORTS = (30000, 30001)
LISTED = "k3d cluster list --output json"


@pytest.fixture(autouse=True)
def machine(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> Tools:
    """Docker, kubectl and k3d with a running cluster todo."""
    tools.answer("kubectl config current-context", code=1)
    tools.answer("docker info", recorded("docker/28.2.2-info-native.txt"))
    tools.answer(LISTED, recorded("k3d/5.8.3-list-running.txt"))
    tools.answer("k3d kubeconfig get todo", recorded("k3d/5.8.3-kubeconfig-todo.txt"))
    entry = {
        "server": "https://0.0.0.0:41263",
        "certificate-authority-data": "LS0tLS1DRVJUSUZJQ0FURQo=",
    }
    view = {
        "clusters": [{"name": "k3d-todo", "cluster": entry}],
        "contexts": [{"name": "k3d-todo", "context": {"cluster": "k3d-todo"}}],
    }
    tools.answer("kubectl config view --raw --output=json", json.dumps(view))
    monkeypatch.setattr(docker, "_taken", lambda _: False)
    return tools


class TestClusters:
    def test_are_listed_with_one_command(self, tools: Tools) -> None:
        assert K3d().clusters() == [Cluster(name="todo", running=True)]
        assert len(tools.asked) == 1

    def test_run_when_all_their_servers_and_agents_do(self, tools: Tools) -> None:
        tools.answer(LISTED, recorded("k3d/5.8.3-list-stopped.txt"))
        assert {it.name: it.running for it in K3d().clusters()} == {"todo": False, "agents": False}

    @pytest.mark.parametrize("code", [0, 1])
    def test_are_none_where_there_are_none_or_docker_is_stopped(
        self, code: int, tools: Tools
    ) -> None:
        tools.answer(LISTED, recorded("k3d/5.8.3-list-none.txt") if code == 0 else "", code=code)
        assert K3d().clusters() == []

    def test_have_contexts_called_after_them(self) -> None:
        assert K3d().named_by("k3d-my-own") == "my-own"
        assert K3d().named_by("kind-todo") is None


class TestStart:
    def test_leaves_a_running_cluster_alone(self, tools: Tools) -> None:
        K3d().start("todo", PORTS)
        assert [it.split(" --format")[0] for it in tools.asked] == ["docker info", LISTED]

    def test_starts_a_stopped_one(self, tools: Tools) -> None:
        tools.answer(LISTED, recorded("k3d/5.8.3-list-stopped.txt"))
        tools.answer("k3d cluster start")
        K3d().start("todo", PORTS)
        assert tools.of("k3d cluster start todo --wait")

    def test_makes_one_with_the_ports_mapped_and_without_an_ingress(self, tools: Tools) -> None:
        tools.answer(LISTED, recorded("k3d/5.8.3-list-none.txt"))
        tools.answer("k3d cluster create")
        K3d().start("todo", PORTS)
        (call,) = tools.of("k3d cluster create todo")
        assert "--k3s-arg --disable=traefik@server:0" in call.text
        assert "--port 127.0.0.1:30000:30000@server:0" in call.text
        assert "--port 127.0.0.1:30001:30001@server:0" in call.text

    def test_maps_no_port_that_is_taken(
        self, tools: Tools, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(docker, "_taken", lambda port: port == 30000)
        tools.answer(LISTED, recorded("k3d/5.8.3-list-none.txt"))
        tools.answer("k3d cluster create")
        K3d().start("todo", PORTS)
        (call,) = tools.of("k3d cluster create")
        assert "30000" not in call.text

    def test_fails_with_k3ds_reason(self, tools: Tools) -> None:
        tools.answer(LISTED, recorded("k3d/5.8.3-list-none.txt"))
        log = recorded("k3d/5.8.3-create-failed.log")
        tools.answer("k3d cluster create", errors=log, code=1)
        with pytest.raises(Failure, match="Cluster creation FAILED"):
            K3d().start("todo", PORTS)

    def test_needs_k3d(self, tools: Tools) -> None:
        (tools.path / "k3d").unlink()
        with pytest.raises(Failure, match=r"k3d-io/k3d/main/install.sh"):
            K3d().start("todo", PORTS)

    def test_needs_buildx_before_anything_is_made(self, tools: Tools) -> None:
        tools.answer("docker info", recorded("docker/28.2.2-info-without-buildx.txt"))
        with pytest.raises(Failure, match="buildx"):
            K3d().start("todo", PORTS)
        assert not tools.of("k3d")


class TestFound:
    def test_tells_context_address_and_archives(self, tools: Tools) -> None:
        provider = K3d()
        provider.start("todo", PORTS)
        assert provider.found("todo", PORTS) == {
            "cluster": {
                "provider": "k3d",
                "name": "todo",
                "context": "k3d-todo",
                "nodeAddress": "127.0.0.1",
                "podCidr": "10.42.0.0/16",
            },
            "images": {"mode": "load", "builder": {"name": "default", "exporter": "archive"}},
        }
        assert [it.split(" --format")[0] for it in tools.asked] == [
            "docker info",
            LISTED,
            "k3d kubeconfig get todo",
            "kubectl config view --raw --output=json",
        ]

    def test_tells_the_pods_addresses_that_the_cluster_was_made_with(self, tools: Tools) -> None:
        listed = recorded("k3d/5.8.3-list-running.txt")
        server = '"--disable=traefik"'
        assert server in listed
        tools.answer(LISTED, listed.replace(server, '"--cluster-cidr=10.99.0.0/16"'))
        assert K3d().found("todo", PORTS)["cluster"]["podCidr"] == "10.99.0.0/16"

    def test_takes_the_first_servers_address_where_no_port_is_mapped(self, tools: Tools) -> None:
        tools.answer(LISTED, recorded("k3d/5.8.3-list-unmapped.txt"))
        tools.answer("k3d kubeconfig get other", recorded("k3d/5.8.3-kubeconfig-todo.txt"))
        found = K3d().found("other", PORTS)
        assert found["cluster"]["nodeAddress"] == "172.20.0.2"
        assert "kubeconfig" in found["cluster"]

    def test_names_no_address_that_cannot_be_reached(self, tools: Tools) -> None:
        tools.answer("docker info", recorded("docker/28.2.2-info-colima.txt"))
        tools.answer(LISTED, recorded("k3d/5.8.3-list-unmapped.txt"))
        tools.answer("k3d kubeconfig get other", recorded("k3d/5.8.3-kubeconfig-todo.txt"))
        assert "nodeAddress" not in K3d().found("other", PORTS)["cluster"]

    def test_of_a_cluster_that_is_gone_is_said(self, tools: Tools) -> None:
        tools.answer(LISTED, recorded("k3d/5.8.3-list-none.txt"))
        tools.answer("k3d kubeconfig get todo", code=1, errors="FATA[0000] no cluster found\n")
        with pytest.raises(Failure, match="k3d cluster list"):
            K3d().found("todo", PORTS)


class TestPolicies:
    def test_are_enforced_by_k3s_itself(self) -> None:
        assert K3d().policies("todo").endswith("enforced by k3s")

    def test_are_whoever_elses_where_k3s_does_not(self, tools: Tools) -> None:
        tools.answer(LISTED, recorded("k3d/5.8.3-list-unmapped.txt"))
        sets = recorded("kubectl/daemonsets-bridge.txt")
        tools.answer("kubectl --context k3d-other", sets)
        assert "nothing in this cluster enforces" in K3d().policies("other")


def test_a_cluster_is_stopped_and_removed_with_its_kubeconfig(tools: Tools) -> None:
    file = Path(kubeconfig.path("k3d", "todo"))
    file.write_text("")
    tools.answer("k3d cluster stop")
    tools.answer("k3d cluster delete")
    K3d().stop("todo")
    K3d().delete("todo")
    assert tools.asked == ["k3d cluster stop todo", "k3d cluster delete todo"]
    assert not file.exists()
