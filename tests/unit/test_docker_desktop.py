"""What set-up decides by what Docker Desktop's Docker and Kubernetes answer."""

import json

import pytest

from components.todo.settings.parse import parse_settings
from console.failure import Failure
from tests.unit.fake_tools import Tools, recorded
from toolchain.providers.docker_desktop import DockerDesktop
from toolchain.providers.provider import Cluster

PORTS = (30000, 30001)
NAME = "docker-desktop"
READY = f"kubectl --context {NAME} --request-timeout=5s get --raw=/readyz"
NODES = f"kubectl --context {NAME} --request-timeout=15s get nodes"
STATUS = "docker desktop kubernetes status --format json"


@pytest.fixture(autouse=True)
def machine(tools: Tools) -> Tools:
    """Docker Desktop on macOS with a Kubernetes made by kubeadm, that runs."""
    tools.answer("docker info", recorded("docker/28.2.2-info-desktop-macos.txt"))
    view = {
        "clusters": [{"name": NAME, "cluster": {"server": "https://127.0.0.1:6443"}}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME}}],
    }
    tools.answer("kubectl config view --raw --output=json", json.dumps(view))
    tools.answer(READY, "ok")
    tools.answer(NODES, recorded("kubectl/nodes-docker-desktop-kubeadm.txt"))
    return tools


class TestCluster:
    def test_is_there_while_its_context_is(self, tools: Tools) -> None:
        assert DockerDesktop().installed()
        assert DockerDesktop().clusters() == [Cluster(name=NAME, running=True)]
        tools.answer("kubectl config view", '{"contexts": null, "clusters": null}')
        tools.answer("kubectl config view --raw --output=json", '{"contexts": null}')
        assert not DockerDesktop().installed()
        assert DockerDesktop().clusters() == []

    def test_is_stopped_while_nothing_answers(self, tools: Tools) -> None:
        tools.answer(READY, code=1, errors="connection refused")
        assert DockerDesktop().clusters() == [Cluster(name=NAME, running=False)]

    def test_is_listed_with_two_commands(self, tools: Tools) -> None:
        DockerDesktop().clusters()
        assert len(tools.asked) == 2

    def test_is_not_there_without_kubectl(self, tools: Tools) -> None:
        (tools.path / "kubectl").unlink()
        assert not DockerDesktop().installed()


class TestStart:
    def test_leaves_a_running_one_alone(self, tools: Tools) -> None:
        DockerDesktop().start(NAME, PORTS)
        assert tools.asked == [READY]

    def failing(self, tools: Tools) -> str:
        tools.answer(READY, code=1, errors="connection refused")
        with pytest.raises(Failure) as failure:
            DockerDesktop().start(NAME, PORTS)
        assert "\n" not in str(failure.value)
        return str(failure.value)

    def test_says_where_a_switched_off_one_is_switched_on(self, tools: Tools) -> None:
        text = recorded("docker-desktop/4.51-kubernetes-status-disabled.txt")
        tools.answer(STATUS, text)
        assert "switched off (disabled); switch it on under Settings" in self.failing(tools)

    def test_says_so_without_docker_desktops_own_command(self, tools: Tools) -> None:
        tools.answer(STATUS, code=1, errors="unknown command: docker desktop")
        assert "Enable Kubernetes" in self.failing(tools)

    def test_says_that_one_is_starting(self, tools: Tools) -> None:
        text = recorded("docker-desktop/4.51-kubernetes-status-starting.txt")
        tools.answer(STATUS, text)
        assert "wait until Docker Desktop shows Kubernetes in green" in self.failing(tools)

    def test_says_what_starts_docker(self, tools: Tools) -> None:
        stopped = recorded("docker/28.2.2-info-stopped.txt")
        for call in ("docker info", "docker --context desktop-linux info"):
            tools.answer(call, stopped, code=1, errors="Cannot connect to the Docker daemon")
        assert "Docker, which does not answer" in self.failing(tools)

    def test_does_not_take_another_docker_for_it(self, tools: Tools) -> None:
        tools.answer("docker info", recorded("docker/28.2.2-info-colima.txt"))
        for context in ("desktop-linux", "default"):
            call = f"docker --context {context} info"
            tools.answer(call, code=1, errors="context not found: docker context ls")
        assert "start Docker Desktop" in self.failing(tools)


class TestFound:
    def test_of_kubeadm_takes_the_images_of_its_docker_and_answers_here(self, tools: Tools) -> None:
        found = DockerDesktop().found(NAME, PORTS)
        given = {"cluster": {"kind": "local"}, "images": {"mode": "load"}}
        assert parse_settings(given, found).cluster.provider == "dockerDesktop"
        assert found == {
            "cluster": {
                "provider": "dockerDesktop",
                "context": NAME,
                "nodeAddress": "127.0.0.1",
            },
            "images": {
                "mode": "load",
                "builder": {"name": "desktop-linux", "exporter": "docker"},
            },
        }
        assert len(tools.asked) == 2

    def test_of_kind_takes_the_images_of_containerds_store_and_has_no_address(
        self, tools: Tools
    ) -> None:
        tools.answer(NODES, recorded("kubectl/nodes-docker-desktop-kind.txt"))
        found = DockerDesktop().found(NAME, PORTS)
        assert found["images"]["builder"] == {"name": "desktop-linux", "exporter": "docker"}
        assert "nodeAddress" not in found["cluster"]

    def test_of_kind_sees_no_images_of_the_classic_store(self, tools: Tools) -> None:
        tools.answer(NODES, recorded("kubectl/nodes-docker-desktop-kind.txt"))
        tools.answer("docker info", recorded("docker/28.2.2-info-desktop-classic-store.txt"))
        with pytest.raises(Failure, match=r"containerd image store.*kubeadm"):
            DockerDesktop().found(NAME, PORTS)

    def test_of_kubeadm_sees_the_images_of_the_classic_store(self, tools: Tools) -> None:
        tools.answer("docker info", recorded("docker/28.2.2-info-desktop-classic-store.txt"))
        assert "images" in DockerDesktop().found(NAME, PORTS)

    def test_finds_its_docker_beside_the_persons_other_one(self, tools: Tools) -> None:
        tools.answer("docker info", recorded("docker/28.2.2-info-colima.txt"))
        desktop = recorded("docker/28.2.2-info-desktop-macos.txt")
        tools.answer("docker --context desktop-linux info", desktop)
        builder = DockerDesktop().found(NAME, PORTS)["images"]["builder"]
        assert builder == {"name": "desktop-linux", "exporter": "docker"}

    def test_builds_in_no_other_docker(self, tools: Tools) -> None:
        tools.answer("docker info", recorded("docker/28.2.2-info-native.txt"))
        tools.answer(
            "docker --context desktop-linux info", code=1, errors="docker context not found"
        )
        with pytest.raises(Failure, match="docker context use desktop-linux"):
            DockerDesktop().found(NAME, PORTS)


@pytest.mark.parametrize("word", ["stop", "delete"])
def test_the_cluster_is_not_ours_to_end(word: str, tools: Tools) -> None:
    with pytest.raises(Failure, match="Docker Desktop"):
        getattr(DockerDesktop(), word)(NAME)
    assert not tools.asked


def test_policies_of_kubeadm_are_enforced_by_nobody(tools: Tools) -> None:
    listed = recorded("kubectl/daemonsets-bridge.txt")
    tools.answer(f"kubectl --context {NAME} --request-timeout=15s get daemonsets", listed)
    assert "nothing in this cluster enforces" in DockerDesktop().policies(NAME)
