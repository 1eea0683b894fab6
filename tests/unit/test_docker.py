"""What the Docker CLI's answers say of this machine's Docker."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from console.failure import Failure
from tests.ports import free_port
from tests.unit.fake_tools import Tools, recorded
from toolchain import missing, paths
from toolchain.providers import docker, docker_context, node_containers, tool

PORTS = (30000, 30001)


def info(tools: Tools, name: str, code: int = 0, errors: str = "") -> None:
    tools.answer("docker info", recorded(f"docker/{name}.txt"), code=code, errors=errors)


def node(
    address: str = "172.18.0.2", *mapped: int, host: str = "127.0.0.1"
) -> node_containers.Node:
    return node_containers.Node(
        name="node", running=True, address=address, ports={port: {host} for port in mapped}
    )


class TestDaemon:
    @pytest.mark.parametrize(
        ("answer", "native", "desktop", "context"),
        [
            ("28.2.2-info-native", True, False, "default"),
            ("28.2.2-info-desktop-macos", False, True, "desktop-linux"),
            ("28.2.2-info-colima", False, False, "colima"),
            ("28.2.2-info-rootless", False, False, "rootless"),
        ],
    )
    def test_only_a_native_one_has_containers_that_can_be_reached(
        self, answer: str, native: bool, desktop: bool, context: str, tools: Tools
    ) -> None:
        info(tools, answer)
        found = docker.running("It")
        assert (found.is_native, found.is_desktop, found.context) == (native, desktop, context)
        assert len(tools.asked) == 1

    def test_on_macos_is_in_a_virtual_machine_whatever_it_says(
        self, tools: Tools, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        info(tools, "28.2.2-info-native")
        monkeypatch.setattr(sys, "platform", "darwin")
        assert not docker.running("It").is_native

    def test_of_another_machine_is_not_native(
        self, tools: Tools, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(socket, "gethostname", lambda: "laptop")
        info(tools, "28.2.2-info-native")
        assert not docker.running("It").is_native

    def test_that_is_stopped_is_one_sentence_with_what_starts_it(self, tools: Tools) -> None:
        silence = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n"
        info(tools, "28.2.2-info-stopped", code=1, errors=silence)
        tools.install("systemctl")
        with pytest.raises(Failure, match="sudo systemctl start docker") as failure:
            docker.running("kind cluster todo")
        assert "Cannot connect" in str(failure.value)
        assert "\n" not in str(failure.value)

    def test_that_is_stopped_is_started_on_macos_by_its_application(
        self, tools: Tools, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        info(tools, "28.2.2-info-stopped", code=1, errors="Cannot connect")
        monkeypatch.setattr(sys, "platform", "darwin")
        with pytest.raises(Failure, match="open -a Docker"):
            docker.running("It")

    def test_that_lets_nobody_in_is_not_called_stopped(self, tools: Tools) -> None:
        errors = "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock"
        info(tools, "28.2.2-info-stopped", code=1, errors=errors)
        with pytest.raises(Failure, match="usermod -aG docker"):
            docker.running("It")

    def test_answers_that_are_no_dockers_count_as_none(self, tools: Tools) -> None:
        # What podman-docker puts in the place of the command.
        tools.answer("docker info", '{"host": {"arch": "amd64"}, "version": {}}')
        assert docker.ask() is None

    @pytest.mark.parametrize("answer", ["28.2.2-info-without-buildx", "28.2.2-info-broken-buildx"])
    def test_without_buildx_is_one_sentence_with_what_installs_it(
        self, answer: str, tools: Tools
    ) -> None:
        info(tools, answer)
        tools.install("apt-get")
        with pytest.raises(Failure, match="apt-get install docker-buildx-plugin") as failure:
            docker.running("kind cluster todo")
        assert "\n" not in str(failure.value)


class TestMissing:
    @pytest.mark.parametrize(
        ("platform", "manager", "command"),
        [
            ("linux", "apt-get", "docker-buildx-plugin || sudo apt-get install docker-buildx"),
            ("linux", "dnf", "sudo dnf install docker-buildx-plugin"),
            ("linux", None, "https://get.docker.com"),
            ("darwin", None, "brew install docker-buildx"),
            ("win32", None, "winget"),
        ],
    )
    def test_tools_are_installed_as_on_this_system(
        self,
        platform: str,
        manager: str | None,
        command: str,
        tools: Tools,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(sys, "platform", platform)
        if manager:
            tools.install(manager)
        assert command in missing.command("buildx")

    @pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
    @pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
    @pytest.mark.parametrize("name", ["docker", "buildx", "minikube", "kind", "k3d"])
    def test_every_tool_has_one_command_on_every_system(
        self,
        name: missing.Tool,
        machine: str,
        system: str,
        tools: Tools,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(sys, "platform", system)
        monkeypatch.setattr("platform.machine", lambda: machine)
        command = missing.command(name)
        assert "{" not in command
        assert "\n" not in command
        if "linux-" in command:
            assert {"x86_64": "amd64", "aarch64": "arm64"}[machine] in command

    def test_windows_is_named_where_its_docker_serves_a_linux(
        self, tools: Tools, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("platform.release", lambda: "6.6.87-microsoft-standard-WSL2")
        assert "WSL integration" in missing.start_docker()


class TestReach:
    def native(self, tools: Tools) -> docker.Docker:
        info(tools, "28.2.2-info-native")
        return docker.running("It")

    def desktop(self, tools: Tools) -> docker.Docker:
        info(tools, "28.2.2-info-desktop-macos")
        socket_ = "unix:///Users/me/.docker/run/docker.sock"
        tools.answer("docker context inspect desktop-linux", f"{socket_}\n")
        return docker.running("It")

    def test_ports_that_are_mapped_answer_here_everywhere(self, tools: Tools) -> None:
        assert node_containers.reach([node("", *PORTS)], PORTS, self.desktop(tools)) == "127.0.0.1"

    def test_an_address_in_a_virtual_machine_is_none(self, tools: Tools) -> None:
        assert node_containers.reach([node()], PORTS, self.desktop(tools)) is None

    def test_of_two_ports_one_is_not_enough(self, tools: Tools) -> None:
        native = self.native(tools)
        assert node_containers.reach([node("172.18.0.2", 30000)], PORTS, native) == "172.18.0.2"

    def test_each_node_may_have_a_port_of_its_own(self, tools: Tools) -> None:
        nodes = [node("172.18.0.2", 30000), node("172.18.0.3", 30001)]
        assert node_containers.reach(nodes, PORTS, self.native(tools)) == "127.0.0.1"

    def test_another_address_of_this_machine_is_not_the_loopback(self, tools: Tools) -> None:
        mapped = node("172.18.0.2", *PORTS, host="192.168.1.20")
        assert node_containers.reach([mapped], PORTS, self.native(tools)) == "172.18.0.2"

    def test_another_machines_ports_are_not_here(
        self, tools: Tools, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(socket, "gethostname", lambda: "laptop")
        info(tools, "28.2.2-info-native")
        monkeypatch.setenv("DOCKER_HOST", "ssh://me@server")
        assert (
            node_containers.reach([node("172.18.0.2", *PORTS)], PORTS, docker.running("It")) is None
        )

    def test_ports_under_another_number_do_not_count(self, tools: Tools) -> None:
        tools.answer(
            "docker container inspect todo-control-plane",
            recorded("docker/20.10-inspect-kind-todo.txt"),
        )
        nodes = node_containers.nodes(["todo-control-plane"])
        assert nodes[0].ports == {}
        assert node_containers.reach(nodes, PORTS, self.native(tools)) == "172.18.0.2"

    def test_a_node_that_is_gone_does_not_hide_the_others(self, tools: Tools) -> None:
        text = recorded("docker/20.10-inspect-kind-todo.txt")
        tools.answer("docker container inspect", text, code=1, errors="No such container: gone")
        assert [it.name for it in node_containers.nodes(["gone", "here"])] == ["todo-control-plane"]


class TestPorts:
    def test_that_are_taken_are_left_out_and_said(
        self, tools: Tools, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            holder.listen()
            taken = int(holder.getsockname()[1])
            free = free_port()
            assert docker.free([taken, free]) == [free]
        assert f"port {taken} is taken" in capsys.readouterr().out

    def test_that_are_held_without_listening_are_taken(self, tools: Tools) -> None:
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            assert docker.free([int(holder.getsockname()[1])]) == []


class TestLongCommand:
    @pytest.mark.parametrize(
        ("log", "reason"),
        [
            ("minikube/1.38.1-start-docker-stopped.log", "PROVIDER_DOCKER_NOT_RUNNING"),
            (
                "minikube/1.38.1-start-port-taken.log",
                "127.0.0.1:30000: bind: address already in use",
            ),
            ("kind/0.33-create-port-in-use.txt", "Bind for 127.0.0.1:30001 failed"),
            ("k3d/5.8.3-create-failed.log", "Cluster creation FAILED"),
        ],
    )
    def test_fails_with_the_tools_own_reason(self, log: str, reason: str, tools: Tools) -> None:
        tools.answer("it", recorded(log), code=1)
        file = paths.LOCAL / "log" / "it.log"
        with pytest.raises(Failure, match=reason) as failure:
            tool.run(["it"], log=file, what="making it")
        assert str(file) in str(failure.value)
        assert "\n" not in str(failure.value)

    def test_that_lacks_a_port_says_how_to_go_on(self, tools: Tools) -> None:
        tools.answer("it", recorded("minikube/1.38.1-start-port-taken.log"), code=80)
        with pytest.raises(Failure, match=r"free that port and run again, or .*`it delete`"):
            tool.run(["it"], log=paths.LOCAL / "it.log", what="it", remove="it delete")

    def test_of_minikube_as_root_says_who_may(self, tools: Tools) -> None:
        said = 'X Exiting due to DRV_AS_ROOT: The "docker" driver should not be used as root.'
        tools.answer("it", f"{said}\n\n* advice\n", code=1)
        with pytest.raises(Failure, match="ordinary user of the docker group"):
            tool.run(["it"], log=paths.LOCAL / "log" / "it.log", what="it", hint="start Docker")

    def test_does_not_take_an_older_reason_for_its_own(self, tools: Tools) -> None:
        tools.answer("it", "it is late\n", code=1)
        file = paths.LOCAL / "log" / "it.log"
        file.parent.mkdir()
        file.write_text("ERROR: of yesterday\n")
        with pytest.raises(Failure, match="it is late"):
            tool.run(["it"], log=file, what="making it")


class TestContext:
    @pytest.fixture
    def person(self, tmp_path: Path) -> Path:
        folder = tmp_path / "home" / ".docker"
        (folder / "cli-plugins").mkdir(parents=True)
        (folder / "config.json").write_text('{"auths": {"registry.example": {"auth": "bWU6bWU="}}}')
        (folder / "cli-plugins" / "docker-buildx").write_text("")
        for kind in ("meta", "tls"):
            (folder / "contexts" / kind / "0af1").mkdir(parents=True)
        meta = {"Name": "work", "Metadata": {}, "Endpoints": {"docker": {"Host": "ssh://me@work"}}}
        (folder / "contexts" / "meta" / "0af1" / "meta.json").write_text(json.dumps(meta))
        return folder

    @pytest.fixture
    def certificates(self, tmp_path: Path) -> Path:
        folder = tmp_path / "certs"
        folder.mkdir()
        for name in ("ca", "cert", "key"):
            (folder / f"{name}.pem").write_text(name)
        return folder

    def listing(self, folder: Path) -> dict[str, bytes]:
        files = (it for it in folder.rglob("*") if it.is_file())
        return {str(it.relative_to(folder)): it.read_bytes() for it in files}

    def test_of_ours_stands_beside_everything_of_the_persons(
        self, tools: Tools, person: Path, certificates: Path
    ) -> None:
        before = self.listing(person)
        docker_context.mirror()
        docker_context.write("todo-minikube", "tcp://192.168.49.2:2376", certificates)
        docker_context.mirror()
        ours = paths.DOCKER_CONFIG
        assert (ours / "config.json").read_text() == (person / "config.json").read_text()
        assert (ours / "cli-plugins" / "docker-buildx").exists()
        metas = [
            json.loads(it.read_text()) for it in (ours / "contexts" / "meta").glob("*/meta.json")
        ]
        assert {it["Name"] for it in metas} == {"work", "todo-minikube"}
        keys = list((ours / "contexts" / "tls").rglob("key.pem"))
        assert [it.stat().st_mode & 0o77 for it in keys] == [0]
        assert self.listing(person) == before

    def test_of_the_persons_that_is_gone_is_no_longer_linked(
        self, tools: Tools, person: Path
    ) -> None:
        docker_context.mirror()
        shutil.rmtree(person / "contexts" / "meta" / "0af1")
        (person / "daemon.json").write_text("{}")
        docker_context.mirror()
        assert not list((paths.DOCKER_CONFIG / "contexts" / "meta").iterdir())
        assert (paths.DOCKER_CONFIG / "daemon.json").exists()

    def test_under_a_name_that_the_person_uses_gets_another(
        self, tools: Tools, person: Path
    ) -> None:
        assert docker_context.called("minikube") == "todo-minikube"
        digest = docker_context._digest("todo-minikube")  # pyright: ignore[reportPrivateUsage]
        (person / "contexts" / "meta" / digest).mkdir()
        assert docker_context.called("minikube") != "todo-minikube"

    def test_gives_way_to_what_the_person_makes_later(self, tools: Tools, person: Path) -> None:
        docker_context.mirror()
        # buildx has made its folder, as the person had none.
        (paths.DOCKER_CONFIG / "buildx" / "instances").mkdir(parents=True)
        (person / "buildx" / "instances").mkdir(parents=True)
        (person / "buildx" / "instances" / "mine").write_text("{}")
        docker_context.mirror()
        assert (paths.DOCKER_CONFIG / "buildx" / "instances" / "mine").exists()

    def test_works_where_the_person_has_no_settings_of_docker(
        self, tools: Tools, certificates: Path, tmp_path: Path
    ) -> None:
        docker_context.mirror()
        docker_context.write("todo-minikube", "tcp://192.168.49.2:2376", certificates)
        assert docker_context.exists("todo-minikube")
        assert not (tmp_path / "home" / ".docker").exists()
        docker_context.remove("todo-minikube")
        assert not docker_context.exists("todo-minikube")


@pytest.mark.skipif(not shutil.which("docker"), reason="no Docker CLI here")
def test_a_real_docker_cli_reads_the_context_that_we_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "DOCKER_CONFIG", tmp_path / "docker")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    for name in ("ca", "cert", "key"):
        (tmp_path / f"{name}.pem").write_text(name)
    docker_context.mirror()
    docker_context.write("todo-minikube", "tcp://192.168.49.2:2376", tmp_path)
    shown = ["--format", "{{.Endpoints.docker.Host}} {{json .TLSMaterial}}"]
    done = subprocess.run(
        ["docker", "context", "inspect", "todo-minikube", *shown],
        env={**os.environ, "DOCKER_CONFIG": str(paths.DOCKER_CONFIG)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == (
        'tcp://192.168.49.2:2376 {"docker":["ca.pem","cert.pem","key.pem"]}'
    )
