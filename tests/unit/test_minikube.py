"""What set-up decides by what Minikube of several versions answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from console.failure import Failure
from tests.unit.fake_tools import Tools, recorded
from toolchain import paths
from toolchain.providers import docker, docker_context, kubeconfig
from toolchain.providers.minikube import Minikube
from toolchain.providers.provider import Cluster

PORTS = (30000, 30001)
DOCKER, CONTAINERD = "mkd", "mkc"
"""Profiles of the recorded Minikube, called after their container runtimes."""


def entry(name: str, **config: Any) -> str:
    """A profile list with one profile, in which something is another than in the recorded one."""
    listed = json.loads(recorded("minikube/1.38.1-profile-list-light-docker.txt"))
    profile = listed["valid"][1]
    profile["Name"] = profile["Config"]["Name"] = name
    runtime, options = config.pop("runtime", None), config.pop("options", None)
    profile["Config"].update(config)
    if runtime:
        profile["Config"]["KubernetesConfig"]["ContainerRuntime"] = runtime
    if options:
        profile["Config"]["KubernetesConfig"]["ExtraOptions"] = options
    return json.dumps({"invalid": [], "valid": [profile]})


def nodes(count: int, ip: str = "192.168.58.2") -> list[dict[str, Any]]:
    names = ["", *(f"m{number:02d}" for number in range(2, count + 1))]
    return [{"Name": it, "IP": ip, "ControlPlane": not it, "Worker": True} for it in names]


@pytest.fixture(autouse=True)
def machine(tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    """Docker, kubectl and a Minikube with two running profiles, as they were recorded."""
    listed = "minikube profile list --output json"
    tools.answer(listed, recorded("minikube/1.38.1-profile-list-docker.txt"))
    tools.answer(f"{listed} --light", recorded("minikube/1.38.1-profile-list-light-docker.txt"))
    tools.answer("kubectl config current-context", code=1)
    tools.answer("docker info", recorded("docker/28.2.2-info-native.txt"))
    for profile, runtime in ((DOCKER, "docker"), (CONTAINERD, "containerd")):
        status(tools, f"running-{runtime}", profile)
        inspected = recorded(f"docker/20.10-inspect-minikube-running-{runtime}.txt")
        tools.answer(f"docker container inspect {profile}", inspected)
    kubectl(tools, DOCKER, CONTAINERD)
    certificates = tmp_path / "certs"
    certificates.mkdir()
    for name in ("ca", "cert", "key"):
        (certificates / f"{name}.pem").write_text(name)
    text = recorded("minikube/1.38.1-docker-env-docker.txt")
    here = json.loads(text) | {"DOCKER_CERT_PATH": str(certificates)}
    tools.answer(f"minikube docker-env --profile {DOCKER}", json.dumps(here))
    inside = recorded("docker/28.2.2-info-inside-minikube.txt")
    tools.answer(f"docker --context todo-{DOCKER} info", inside)
    monkeypatch.setattr(docker, "_taken", lambda _: False)
    return tools


def status(
    tools: Tools, case: str, profile: str, *, code: int = 0, when: str | None = None
) -> None:
    text = recorded(f"minikube/1.38.1-status-{case}.txt")
    tools.answer(f"minikube status --profile {profile} --output json", text, code=code, when=when)


def kubectl(tools: Tools, *contexts: str, cluster: str | None = None) -> None:
    """The person's kubeconfig, with Minikube's entries for these profiles."""
    view = json.loads(recorded("minikube/1.38.1-context-entry.txt"))
    one = view["contexts"][0]["context"]
    view["contexts"] = [
        {"name": it, "context": one | {"cluster": cluster or it}} for it in contexts
    ]
    tools.answer("kubectl config view --raw --output=json", json.dumps(view))


def profile(tools: Tools, name: str = DOCKER, **config: Any) -> None:
    """Minikube has this one profile, and nobody asks for its nodes' containers."""
    tools.answer("minikube profile list --output json --light", entry(name, **config))
    kubectl(tools, name)
    if name not in (DOCKER, CONTAINERD):
        status(tools, "running-docker", name)


class TestProfiles:
    def test_are_listed_with_one_command(self, tools: Tools) -> None:
        expected = [Cluster(name=CONTAINERD, running=True), Cluster(name=DOCKER, running=True)]
        assert Minikube().clusters() == expected
        assert len(tools.asked) == 1

    def test_run_whatever_their_version_calls_it(self, tools: Tools) -> None:
        listed = recorded("minikube/1.33.1-profile-list.txt")
        tools.answer("minikube profile list --output json", listed)
        running = {it.name: it.running for it in Minikube().clusters()}
        assert running == {"minikube": True, "old": False, "ha": True, "lost": False}

    @pytest.mark.parametrize("case", ["docker-down", "port-taken"])
    def test_whose_container_does_not_tell_do_not_run(self, case: str, tools: Tools) -> None:
        listed = recorded(f"minikube/1.38.1-profile-list-{case}.txt")
        tools.answer("minikube profile list --output json", listed)
        assert not any(it.running for it in Minikube().clusters())

    @pytest.mark.parametrize(
        ("text", "code"),
        [('{"error": {}}', 80), ("", 1), ('{"invalid":[],"valid":[]}', 0), ("not json", 0)],
    )
    def test_that_minikube_cannot_tell_are_none(self, text: str, code: int, tools: Tools) -> None:
        tools.answer("minikube profile list --output json", text, code=code)
        assert Minikube().clusters() == []

    def test_have_their_context_called_like_them(self) -> None:
        assert Minikube().named_by(DOCKER) == DOCKER
        assert Minikube().named_by("kind-todo") is None

    def test_are_none_where_there_is_no_minikube(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path / "empty"))
        assert not Minikube().installed()
        assert Minikube().named_by(DOCKER) is None
        with pytest.raises(Failure, match="minikube-linux-"):
            Minikube().start(DOCKER, PORTS)


class TestStart:
    def started(self, tools: Tools) -> str:
        (call,) = tools.of("minikube start")
        return call.text

    def test_leaves_a_running_profile_alone(self, tools: Tools) -> None:
        Minikube().start(DOCKER, PORTS)
        assert not tools.of("minikube start")
        assert len(tools.asked) == 2

    def test_makes_a_profile_that_does_not_exist(self, tools: Tools) -> None:
        status(tools, "no-profile-exit-85", "minikube", code=85)
        tools.answer("minikube start")
        Minikube().start("minikube", PORTS)
        assert self.started(tools) == (
            "minikube start --profile minikube --cni calico "
            "--ports 127.0.0.1:30000:30000,127.0.0.1:30001:30001"
        )

    def test_maps_no_port_that_is_taken(
        self, tools: Tools, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(docker, "_taken", lambda port: port == 30000)
        status(tools, "no-profile-exit-85", "minikube", code=85)
        tools.answer("minikube start")
        Minikube().start("minikube", PORTS)
        assert self.started(tools).endswith("--ports 127.0.0.1:30001:30001")

    @pytest.mark.parametrize(
        ("case", "code"),
        [("container-gone-exit-7", 7), ("stopped-exit-7", 7), ("paused-exit-2", 2)],
    )
    def test_changes_no_setting_of_a_profile_that_exists(
        self, case: str, code: int, tools: Tools
    ) -> None:
        status(tools, case, DOCKER, code=code)
        tools.answer("minikube start")
        Minikube().start(DOCKER, PORTS)
        assert self.started(tools) == f"minikube start --profile {DOCKER}"

    def test_starts_a_profile_of_which_one_node_is_stopped(self, tools: Tools) -> None:
        profile(tools, "two", Nodes=nodes(2))
        status(tools, "second-node-stopped-exit-7", "two", code=7)
        tools.answer("minikube start")
        Minikube().start("two", PORTS)
        assert self.started(tools) == "minikube start --profile two"

    def test_leaves_a_running_profile_of_several_nodes_alone(self, tools: Tools) -> None:
        status(tools, "two-nodes", "two")
        Minikube().start("two", PORTS)
        assert not tools.of("minikube start")

    def test_looks_for_buildx_before_anything_is_started(self, tools: Tools) -> None:
        tools.answer("docker info", recorded("docker/28.2.2-info-without-buildx.txt"))
        with pytest.raises(Failure, match="buildx"):
            Minikube().start("minikube", PORTS)
        assert tools.asked == ["docker info --format {{json .}}"]

    def test_says_that_docker_is_stopped_before_minikube_does(self, tools: Tools) -> None:
        stopped = recorded("docker/28.2.2-info-stopped.txt")
        tools.answer("docker info", stopped, code=1, errors="Cannot connect to the Docker daemon")
        status(tools, "container-gone-exit-7", DOCKER, code=7)
        with pytest.raises(Failure, match="Docker, which does not answer"):
            Minikube().start(DOCKER, PORTS)

    def test_does_without_this_machines_docker_in_a_virtual_machine(self, tools: Tools) -> None:
        stopped = recorded("docker/28.2.2-info-stopped.txt")
        tools.answer("docker info", stopped, code=1, errors="Cannot connect to the Docker daemon")
        profile(tools, "vm", Driver="kvm2")
        status(tools, "stopped-exit-7", "vm", code=7)
        tools.answer("minikube start")
        Minikube().start("vm", PORTS)
        assert self.started(tools) == "minikube start --profile vm"

    def test_fails_with_minikubes_reason(self, tools: Tools) -> None:
        status(tools, "stopped-exit-7", DOCKER, code=7)
        log = recorded("minikube/1.38.1-start-docker-stopped.log")
        tools.answer("minikube start", log, code=69)
        with pytest.raises(Failure, match="PROVIDER_DOCKER_NOT_RUNNING"):
            Minikube().start(DOCKER, PORTS)

    def test_writes_into_the_persons_kubeconfig_not_into_ours(
        self, tools: Tools, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig.path("minikube", DOCKER)))
        status(tools, "stopped-exit-7", DOCKER, code=7)
        tools.answer("minikube start")
        Minikube().start(DOCKER, PORTS)
        assert "KUBECONFIG" not in tools.of("minikube start")[0].environment


class TestDockerRuntime:
    def test_builds_in_the_nodes_docker_through_a_context_of_its_certificates(self) -> None:
        found = Minikube().found(DOCKER, PORTS)
        assert found == {
            "cluster": {
                "provider": "minikube",
                "name": DOCKER,
                "context": DOCKER,
                "nodeAddress": "192.168.58.2",
                "podCidr": "10.244.0.0/16",
            },
            "images": {
                "mode": "load",
                "builder": {"name": f"todo-{DOCKER}", "exporter": "docker"},
            },
        }
        assert docker_context.exists(f"todo-{DOCKER}")

    def test_asks_little_when_everything_is_there(self, tools: Tools) -> None:
        provider = Minikube()
        provider.start(DOCKER, PORTS)
        provider.found(DOCKER, PORTS)
        tools.forget()
        provider.start(DOCKER, PORTS)
        provider.found(DOCKER, PORTS)
        # docker-env may restart the node's daemon, so it is not asked again.
        assert tools.asked == [
            "docker info --format {{json .}}",
            f"minikube status --profile {DOCKER} --output json",
            "minikube profile list --output json --light",
            f"docker container inspect {DOCKER}",
            "kubectl config view --raw --output=json",
            f"docker --context todo-{DOCKER} info --format {{{{json .}}}}",
        ]

    def test_renews_the_context_when_another_node_answers_in_its_place(self, tools: Tools) -> None:
        Minikube().found(DOCKER, PORTS)
        # After a restart, the port belongs to another profile, whose certificates are the same.
        other = json.loads(recorded("docker/28.2.2-info-inside-minikube.txt")) | {"Name": "other"}
        call = f"docker --context todo-{DOCKER} info"
        tools.answer(call, json.dumps(other), when="")
        env = json.loads(recorded("minikube/1.38.1-docker-env-docker.txt"))
        env |= {"DOCKER_HOST": "tcp://127.0.0.1:32799"}
        env["DOCKER_CERT_PATH"] = str(paths.DOCKER_CONFIG.parent.parent.parent / "certs")
        asked = f"minikube docker-env --profile {DOCKER}"
        tools.answer(asked, json.dumps(env), becomes="renewed")
        inside = recorded("docker/28.2.2-info-inside-minikube.txt")
        tools.answer(call, inside, when="renewed")
        Minikube().found(DOCKER, PORTS)
        (meta,) = paths.DOCKER_CONFIG.glob("contexts/meta/*/meta.json")
        assert "tcp://127.0.0.1:32799" in meta.read_text()

    @pytest.mark.parametrize(
        ("case", "code"),
        [
            ("docker-env-containerd-exit-10", 10),
            ("docker-env-gone-exit-80", 80),
            ("docker-env-not-running-exit-83", 83),
            ("docker-env-no-profile-exit-85", 85),
        ],
    )
    def test_that_cannot_be_reached_is_one_sentence(
        self, case: str, code: int, tools: Tools
    ) -> None:
        text = recorded(f"minikube/1.38.1-{case}.txt")
        # What the real one says ends with advice in a frame.
        errors = recorded("minikube/1.38.1-docker-env-containerd-exit-10.stderr.txt")
        tools.answer(f"minikube docker-env --profile {DOCKER}", text, code=code, errors=errors)
        with pytest.raises(Failure, match="MK_START_NERDCTLD") as failure:
            Minikube().found(DOCKER, PORTS)
        assert "\n" not in str(failure.value)
        assert not docker_context.exists(f"todo-{DOCKER}")

    def test_reached_by_a_shell_of_the_node_gives_no_context(self, tools: Tools) -> None:
        ssh = '{"DOCKER_HOST":"ssh://docker@127.0.0.1:32777","SSH_AUTH_SOCK":""}'
        tools.answer(f"minikube docker-env --profile {DOCKER}", ssh)
        with pytest.raises(Failure, match="no certificates"):
            Minikube().found(DOCKER, PORTS)

    def test_whose_variables_are_empty_changes_no_environment(
        self, tools: Tools, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # docker-env names SSH_AUTH_SOCK and SSH_AGENT_PID without a value.
        monkeypatch.setenv("SSH_AUTH_SOCK", "/run/me/agent")
        found = Minikube().found(DOCKER, PORTS)
        assert "SSH_" not in json.dumps(found)
        assert {it.environment.get("SSH_AUTH_SOCK") for it in tools.calls} == {"/run/me/agent"}

    @pytest.mark.parametrize("driver", ["kvm2", "virtualbox", "vfkit", "hyperv"])
    def test_in_a_virtual_machine_needs_no_docker_here(self, driver: str, tools: Tools) -> None:
        stopped = recorded("docker/28.2.2-info-stopped.txt")
        tools.answer("docker info", stopped, code=1, errors="Cannot connect to the Docker daemon")
        profile(tools, DOCKER, Driver=driver, Nodes=nodes(1, "192.168.39.12"))
        found = Minikube().found(DOCKER, PORTS)
        assert found["cluster"]["nodeAddress"] == "192.168.39.12"
        assert found["images"]["builder"] == {"name": f"todo-{DOCKER}", "exporter": "docker"}
        assert not tools.of("docker container")

    def test_of_this_machine_itself_is_the_persons_own(self, tools: Tools) -> None:
        profile(tools, "minikube", Driver="none", Nodes=nodes(1, "10.0.0.7"))
        found = Minikube().found("minikube", PORTS)
        assert found["images"]["builder"] == {"name": "default", "exporter": "docker"}
        assert found["cluster"]["nodeAddress"] == "10.0.0.7"
        assert not tools.of("minikube docker-env")


class TestContainerd:
    def test_builds_with_the_nodes_own_buildkit(self, tools: Tools) -> None:
        tools.answer(f"docker exec {CONTAINERD} test -S /run/buildkit/buildkitd.sock")
        found = Minikube().found(CONTAINERD, PORTS)
        assert found["images"]["builder"] == {
            "name": f"todo-{CONTAINERD}",
            "exporter": "image-store",
        }
        assert found["cluster"]["nodeAddress"] == "127.0.0.1"
        instance = json.loads(
            (paths.BUILDX_CONFIG / "instances" / f"todo-{CONTAINERD}").read_text()
        )
        assert instance["Driver"] == "remote"
        assert instance["Nodes"][0]["Endpoint"] == f"docker-container://{CONTAINERD}"
        assert not tools.of("minikube docker-env")

    def test_leaves_nothing_of_another_runtime_in_the_builders_place(self, tools: Tools) -> None:
        tools.answer(f"docker exec {CONTAINERD} test -S")
        Minikube().found(CONTAINERD, PORTS)
        # The profile is made anew with the other runtime, and again with this one.
        inspected = recorded("docker/20.10-inspect-minikube-running-docker.txt")
        tools.answer(f"docker container inspect {CONTAINERD}", inspected)
        certificates = str(paths.LOCAL.parent.parent / "certs")
        env = {"DOCKER_HOST": "tcp://192.168.49.2:2376", "DOCKER_CERT_PATH": certificates}
        tools.answer(f"minikube docker-env --profile {CONTAINERD}", json.dumps(env))
        inside = json.loads(recorded("docker/28.2.2-info-inside-minikube.txt"))
        answer = json.dumps(inside | {"Name": CONTAINERD})
        tools.answer(f"docker --context todo-{CONTAINERD} info", answer)
        listed = "minikube profile list --output json --light"
        tools.answer(listed, entry(CONTAINERD, runtime="docker"))
        Minikube().found(CONTAINERD, PORTS)
        assert not list((paths.BUILDX_CONFIG / "instances").iterdir())
        tools.answer(listed, entry(CONTAINERD, runtime="containerd"))
        Minikube().found(CONTAINERD, PORTS)
        assert not docker_context.exists(f"todo-{CONTAINERD}")

    def test_without_a_buildkit_is_loaded_with_archives(self, tools: Tools) -> None:
        tools.answer(f"docker exec {CONTAINERD} test -S", code=1)
        found = Minikube().found(CONTAINERD, PORTS)
        assert found["images"]["builder"] == {"name": "default", "exporter": "archive"}


class TestArchives:
    @pytest.mark.parametrize(
        "config",
        [
            {"runtime": "crio"},
            {"runtime": "cri-o"},
            {"runtime": "docker", "Nodes": nodes(2)},
            {"runtime": "containerd", "Nodes": nodes(3)},
            {"runtime": "containerd", "Driver": "kvm2"},
            {"runtime": "containerd", "Driver": "podman"},
        ],
        ids=str,
    )
    def test_are_loaded_where_no_builder_reaches_every_node(
        self, config: dict[str, Any], tools: Tools
    ) -> None:
        profile(tools, "other", **config)
        tools.answer("docker container inspect other", "[]", code=1)
        tools.answer("podman container inspect other", "[]", code=1)
        found = Minikube().found("other", PORTS)
        assert found["images"]["builder"] == {"name": "default", "exporter": "archive"}
        assert not tools.of("minikube docker-env")

    def test_are_loaded_into_the_recorded_profile_of_two_nodes(self, tools: Tools) -> None:
        listed = recorded("minikube/1.38.1-profile-list-light-two-nodes.txt")
        tools.answer("minikube profile list --output json --light", listed)
        kubectl(tools, "mk2")
        status(tools, "two-nodes", "mk2")
        tools.answer("docker container inspect mk2 mk2-m02", "[]")
        builder = Minikube().found("mk2", PORTS)["images"]["builder"]
        assert builder == {"name": "default", "exporter": "archive"}

    def test_need_this_machines_docker(self, tools: Tools) -> None:
        stopped = recorded("docker/28.2.2-info-stopped.txt")
        tools.answer("docker info", stopped, code=1, errors="Cannot connect to the Docker daemon")
        profile(tools, "other", Driver="kvm2", runtime="containerd")
        with pytest.raises(Failure, match="images into Minikube profile other"):
            Minikube().found("other", PORTS)


class TestAddress:
    def test_of_every_node_is_looked_at(self, tools: Tools) -> None:
        profile(tools, "two", Nodes=nodes(2))
        status(tools, "two-nodes", "two")
        tools.answer("docker container inspect two two-m02", "[]")
        Minikube().found("two", PORTS)
        assert tools.of("docker container inspect two two-m02")

    def test_is_left_out_where_no_way_leads_to_the_container(self, tools: Tools) -> None:
        tools.answer("docker info", recorded("docker/28.2.2-info-desktop-macos.txt"))
        assert "nodeAddress" not in Minikube().found(DOCKER, PORTS)["cluster"]

    def test_is_here_where_docker_desktop_maps_the_ports(self, tools: Tools) -> None:
        tools.answer("docker info", recorded("docker/28.2.2-info-desktop-macos.txt"))
        tools.answer("docker context inspect desktop-linux", "unix:///Users/me/docker.sock\n")
        tools.answer(f"docker exec {CONTAINERD} test -S")
        found = Minikube().found(CONTAINERD, PORTS)
        assert found["cluster"]["nodeAddress"] == "127.0.0.1"

    @pytest.mark.parametrize(
        "address", ["", "* The control-plane node minikube host is not running: state=Stopped"]
    )
    def test_that_is_none_is_left_out(self, address: str, tools: Tools) -> None:
        profile(tools, DOCKER, Driver="kvm2", Nodes=nodes(1, address))
        assert "nodeAddress" not in Minikube().found(DOCKER, PORTS)["cluster"]

    def test_inside_qemus_own_network_is_none(self, tools: Tools) -> None:
        profile(tools, DOCKER, Driver="qemu2", Network="builtin", Nodes=nodes(1, "10.0.2.15"))
        assert "nodeAddress" not in Minikube().found(DOCKER, PORTS)["cluster"]

    def test_is_that_of_now_after_it_has_changed(self, tools: Tools) -> None:
        assert Minikube().found(DOCKER, PORTS)["cluster"]["nodeAddress"] == "192.168.58.2"
        text = recorded("docker/20.10-inspect-minikube-running-docker.txt")
        moved = text.replace("192.168.58.2", "192.168.67.2")
        tools.answer(f"docker container inspect {DOCKER}", moved)
        assert Minikube().found(DOCKER, PORTS)["cluster"]["nodeAddress"] == "192.168.67.2"


def test_pods_have_the_addresses_that_the_profile_was_made_with(tools: Tools) -> None:
    other = {"Component": "kubelet", "Key": "max-pods", "Value": "20"}
    named = {"Component": "kubeadm", "Key": "pod-network-cidr", "Value": "10.99.0.0/16"}
    profile(tools, options=[other, named])
    assert Minikube().found(DOCKER, PORTS)["cluster"]["podCidr"] == "10.99.0.0/16"


class TestKubeconfig:
    OWN = "apiVersion: v1\nkind: Config\n"

    def update(self, tools: Tools) -> None:
        tools.answer("minikube update-context", writes={"KUBECONFIG": self.OWN})

    @pytest.mark.parametrize("contexts", [(), ("other",)], ids=["nothing", "another"])
    def test_is_our_own_where_the_persons_has_no_such_context(
        self, contexts: tuple[str, ...], tools: Tools
    ) -> None:
        kubectl(tools, *contexts)
        self.update(tools)
        found = Minikube().found(DOCKER, PORTS)
        file = Path(found["cluster"]["kubeconfig"])
        assert file == paths.LOCAL / f"kubeconfig.minikube-{DOCKER}"
        assert file.read_text() == self.OWN
        assert file.stat().st_mode & 0o77 == 0

    def test_is_our_own_where_the_persons_leads_to_another_server(self, tools: Tools) -> None:
        text = recorded("minikube/1.38.1-status-running-docker.txt")
        moved = text.replace('"Configured"', '"Misconfigured"')
        tools.answer(f"minikube status --profile {DOCKER} --output json", moved, code=4)
        self.update(tools)
        assert "kubeconfig" in Minikube().found(DOCKER, PORTS)["cluster"]

    def test_is_our_own_where_the_context_is_another_clusters(self, tools: Tools) -> None:
        kubectl(tools, DOCKER, cluster="production")
        self.update(tools)
        assert "kubeconfig" in Minikube().found(DOCKER, PORTS)["cluster"]

    def test_of_our_own_goes_when_the_persons_is_right_again(self, tools: Tools) -> None:
        kubeconfig.path("minikube", DOCKER).write_text(self.OWN)
        assert "kubeconfig" not in Minikube().found(DOCKER, PORTS)["cluster"]
        assert not kubeconfig.path("minikube", DOCKER).exists()

    def test_of_our_own_does_not_count_as_the_persons(
        self, tools: Tools, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig.path("minikube", DOCKER)))
        Minikube().found(DOCKER, PORTS)
        asked = tools.of("kubectl config view") + tools.of("minikube status")
        assert all("KUBECONFIG" not in it.environment for it in asked)

    def test_that_cannot_be_written_is_one_sentence(self, tools: Tools) -> None:
        kubectl(tools)
        tools.answer("minikube update-context", code=83, errors="it is not running")
        with pytest.raises(Failure, match=f"minikube update-context --profile {DOCKER}"):
            Minikube().found(DOCKER, PORTS)


class TestEnd:
    def test_stops_the_profile(self, tools: Tools) -> None:
        tools.answer("minikube stop")
        Minikube().stop(DOCKER)
        assert tools.asked == [f"minikube stop --profile {DOCKER}"]

    def test_removes_the_profile_and_what_was_written_of_it(self, tools: Tools) -> None:
        Minikube().found(DOCKER, PORTS)
        kubeconfig.path("minikube", DOCKER).write_text("")
        tools.answer("minikube delete")
        Minikube().delete(DOCKER)
        assert tools.of(f"minikube delete --profile {DOCKER}")
        assert not docker_context.exists(f"todo-{DOCKER}")
        assert not kubeconfig.path("minikube", DOCKER).exists()

    def test_of_a_profile_that_is_gone_is_said(self, tools: Tools) -> None:
        none = recorded("minikube/1.38.1-profile-list-none.txt")
        tools.answer("minikube profile list --output json --light", none)
        with pytest.raises(Failure, match="minikube profile list"):
            Minikube().found("gone", PORTS)


class TestPolicies:
    @pytest.mark.parametrize(
        ("sets", "said"),
        [
            ("daemonsets-calico", "enforced by Calico"),
            ("daemonsets-kind-0.33", "enforced by kindnet"),
            ("daemonsets-bridge", "nothing in this cluster enforces them"),
        ],
    )
    def test_are_what_runs_in_the_cluster(self, sets: str, said: str, tools: Tools) -> None:
        logs = f"kubectl --context {DOCKER} --request-timeout=15s --namespace=kube-system logs"
        tools.answer(logs, "Syncing nftables rules\n")
        tools.answer(f"kubectl --context {DOCKER}", recorded(f"kubectl/{sets}.txt"))
        assert said in Minikube().policies(DOCKER)

    def test_are_asked_for_through_our_own_kubeconfig(self, tools: Tools) -> None:
        file = kubeconfig.path("minikube", DOCKER)
        file.write_text("")
        tools.answer(f"kubectl --kubeconfig {file} --context {DOCKER}", code=1)
        assert "does not tell" in Minikube().policies(DOCKER)
