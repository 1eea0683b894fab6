"""What set-up finds out on a machine, and what a person chose before it."""

import argparse
import hashlib
import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from components.todo.settings.parse import parse_settings
from console.failure import Failure
from distribution import binaries, recipes, stand_ins
from distribution.cluster import images, node, places, supervisor
from stack_settings.found import contradictions
from toolchain import __main__ as commands
from toolchain import (
    environment,
    findings,
    internet,
    machine,
    ownership,
    paths,
    python_env,
    tools,
    ui,
)
from toolchain.kubectl import Kubectl
from toolchain.providers import choice
from toolchain.providers.embedded import BUILDER, Embedded
from toolchain.providers.provider import Cluster
from toolchain.stack import Stack

EMBEDDED = {
    "cluster": {"kubeconfig": "/clone/.local/cluster/config/admin.conf", "context": "embedded"},
    "images": {"mode": "load", "builder": {"name": "todo-embedded", "exporter": "image-store"}},
}
CHOSEN = ("KUBECONFIG", "BUILDX_CONFIG", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_HOST")


@pytest.fixture(autouse=True)
def clone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A clone of its own, in an environment in which nobody has chosen anything."""
    monkeypatch.setattr(paths, "LOCAL", tmp_path)
    monkeypatch.setattr(paths, "BUILDX_CONFIG", tmp_path / "buildx")
    monkeypatch.setattr(paths, "DOCKER_CONFIG", tmp_path / "docker")
    (tmp_path / "buildx" / "instances").mkdir(parents=True)
    (tmp_path / "buildx" / "instances" / "todo-embedded").write_text("{}")
    for name in (*CHOSEN, "CONTAINERD_ADDRESS", "PULUMI_BACKEND_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def found_out(stack: str, found: dict[str, Any]) -> None:
    paths.machine_settings(stack).write_text(json.dumps(found))


class TestEnvironment:
    def test_of_another_stack_leads_to_no_cluster(self) -> None:
        found_out("minikube", EMBEDDED)
        cloud = environment.variables("cloud")
        assert not {"KUBECONFIG", "BUILDX_CONFIG"} & cloud.keys()
        assert environment.variables("minikube")["KUBECONFIG"] == EMBEDDED["cluster"]["kubeconfig"]

    @pytest.mark.parametrize("mine", ["", "/mine/prod.yaml"])
    def test_of_one_stack_does_not_lead_another_into_the_local_cluster(
        self, mine: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ours = str(node.kubeconfig())
        cluster = {**EMBEDDED["cluster"], "kubeconfig": ours}
        found_out("minikube", {**EMBEDDED, "cluster": cluster})
        if mine:
            monkeypatch.setenv("KUBECONFIG", mine)
        for name in ("KUBECONFIG", "BUILDX_CONFIG"):
            monkeypatch.setenv(name, environment.variables("minikube")[name])
        assert ours in environment.complete("minikube")["KUBECONFIG"]
        cloud = environment.complete("cloud")
        assert cloud.get("KUBECONFIG", "") == mine
        assert "BUILDX_CONFIG" not in cloud
        shell = ["sh", "-c", f'{environment.shell("cloud")}\nprintf %s "$KUBECONFIG$BUILDX_CONFIG"']
        assert subprocess.run(shell, capture_output=True, text=True, check=True).stdout == mine

    def test_leads_a_stack_into_the_local_cluster_that_names_its_context(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        text = f"config: {{todo:settings: {{cluster: {{context: {node.CONTEXT}}}}}}}"
        (tmp_path / "Pulumi.second.yaml").write_text(text)
        monkeypatch.setattr(paths, "PROJECT", tmp_path)
        monkeypatch.setenv("KUBECONFIG", str(node.kubeconfig()))
        assert environment.complete("second")["KUBECONFIG"] == str(node.kubeconfig())

    def test_keeps_the_users_kubeconfig_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found_out("minikube", EMBEDDED)
        monkeypatch.setenv("KUBECONFIG", "/mine/prod.yaml")
        assert "KUBECONFIG" not in environment.variables("cloud")
        files = environment.variables("minikube")["KUBECONFIG"].split(":")
        assert files == ["/mine/prod.yaml", EMBEDDED["cluster"]["kubeconfig"]]
        assert "export KUBECONFIG=/mine/prod.yaml\n" in environment.shell("cloud") + "\n"

    def test_does_not_grow_when_it_is_taken_twice(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found_out("minikube", EMBEDDED)
        once = environment.variables("minikube")["KUBECONFIG"]
        monkeypatch.setenv("KUBECONFIG", once)
        assert environment.variables("minikube")["KUBECONFIG"] == once

    def test_keeps_the_users_builders(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found_out("minikube", EMBEDDED)
        assert environment.variables("minikube")["BUILDX_CONFIG"] == str(paths.BUILDX_CONFIG)
        monkeypatch.setenv("BUILDX_CONFIG", "/mine/buildx")
        assert "BUILDX_CONFIG" not in environment.variables("minikube")
        assert environment.buildx_config() == Path("/mine/buildx")

    def test_hides_no_builder_that_the_stack_names(self) -> None:
        found_out("minikube", {**EMBEDDED, "images": {"mode": "load"}})
        assert "BUILDX_CONFIG" not in environment.variables("minikube")

    def test_leads_to_the_kubeconfig_that_was_written_for_the_stack_and_no_other_one(
        self, monkeypatch: pytest.MonkeyPatch, clone: Path
    ) -> None:
        for name in ("one", "two"):
            file = str(clone / f"kubeconfig.kind-{name}")
            found_out(name, {"cluster": {"provider": "kind", "name": name, "kubeconfig": file}})
        monkeypatch.setenv("KUBECONFIG", environment.variables("one")["KUBECONFIG"])
        assert environment.complete("two")["KUBECONFIG"] == str(clone / "kubeconfig.kind-two")

    def test_has_a_docker_context_that_was_made_for_the_stack(
        self, monkeypatch: pytest.MonkeyPatch, clone: Path
    ) -> None:
        images = {"mode": "load", "builder": {"name": "todo-minikube", "exporter": "docker"}}
        found_out("minikube", {"images": images})
        assert "DOCKER_CONFIG" not in environment.variables("minikube")
        digest = hashlib.sha256(b"todo-minikube").hexdigest()
        (clone / "docker" / "contexts" / "meta" / digest).mkdir(parents=True)
        monkeypatch.setenv("DOCKER_HOST", "tcp://elsewhere:2375")
        ours = environment.variables("minikube")
        assert ours["DOCKER_CONFIG"] == str(clone / "docker")
        assert ours["DOCKER_CONTEXT"] == "todo-minikube"
        assert "DOCKER_HOST" not in environment.complete("minikube")
        for name in ("DOCKER_CONFIG", "DOCKER_CONTEXT"):
            monkeypatch.setenv(name, ours[name])
            assert environment.complete("minikube")[name] == ours[name]
            assert name not in environment.complete("cloud")
        assert environment.complete("cloud")["DOCKER_HOST"] == "tcp://elsewhere:2375"

    def test_has_the_context_that_was_current_for_archives_too(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, context in (("default", None), ("colima", "colima")):
            builder = {"name": name, "exporter": "archive"}
            found_out("minikube", {"images": {"mode": "load", "builder": builder}})
            assert environment.variables("minikube").get("DOCKER_CONTEXT") == context

    def test_has_no_docker_configuration_of_ours_for_a_context_of_the_users(
        self, clone: Path
    ) -> None:
        found_out("minikube", {"images": {"mode": "load", "builder": {"name": "colima"}}})
        meta = clone / "docker" / "contexts" / "meta"
        meta.mkdir(parents=True)
        (meta / hashlib.sha256(b"colima").hexdigest()).symlink_to(clone)
        assert "DOCKER_CONFIG" not in environment.variables("minikube")

    def test_leads_ctr_to_the_embedded_clusters_images(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found_out("minikube", {"cluster": {"kubeconfig": str(node.kubeconfig())}})
        found = environment.variables("minikube")
        assert found["CONTAINERD_ADDRESS"] == str(places.CONTAINERD_SOCKET)
        monkeypatch.setenv("CONTAINERD_ADDRESS", found["CONTAINERD_ADDRESS"])
        assert "CONTAINERD_ADDRESS" not in environment.complete("cloud")
        monkeypatch.setenv("CONTAINERD_ADDRESS", "/mine/containerd.sock")
        assert environment.complete("cloud")["CONTAINERD_ADDRESS"] == "/mine/containerd.sock"

    @pytest.mark.parametrize("stack", ["minikube", "cloud"])
    def test_never_has_an_agent_or_a_docker_host_that_nobody_chose(self, stack: str) -> None:
        found_out(
            "minikube",
            {
                "cluster": {"provider": "minikube", "context": "minikube"},
                "images": {"builder": {"exporter": "docker"}},
            },
        )
        assert not {n for n in environment.variables(stack) if n.startswith(("DOCKER_H", "SSH_"))}


class TestLeftOpen:
    def test_auto_is_filled(self) -> None:
        given = {"cluster": {"kind": "local", "provider": "auto"}}
        found = {"cluster": {"provider": "kind", "name": "todo"}}
        assert findings.left_open(found, given) == found

    def test_the_cluster_that_the_stack_names_is_known_afterwards(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        given = {"cluster": {"kind": "local", "provider": "kind", "name": "work"}}
        found = {"cluster": {"provider": "kind", "name": "work", "context": "kind-work"}}
        kept = findings.told(found, given)
        monkeypatch.setattr(environment, "found_out", lambda _: kept)
        tool, name = machine.where(Stack("minikube"))
        assert (tool.key, name) == ("kind", "work")

    def test_nothing_is_mixed_into_images_that_somebody_else_builds(self) -> None:
        given = {"images": {"mode": "prebuilt", "backend": "b:1", "frontend": "f:1"}}
        assert findings.left_open(EMBEDDED, given) == {"cluster": EMBEDDED["cluster"]}

    def test_a_stack_that_pushes_is_told_what_builds_and_from_what(self) -> None:
        bases = {"python": "p:1", "node": "n:1"}
        found = {**EMBEDDED, "images": {**EMBEDDED["images"], "baseImages": bases}}
        images = {"mode": "registry", "repository": "10.89.0.2:30500/todo"}
        given = {"cluster": {"kind": "local"}, "images": images}
        told = findings.told(found, given)
        assert told["images"] == {"builder": {"name": BUILDER}, "baseImages": bases}
        settings = parse_settings(given, told)
        assert settings.images.mode == "registry"
        assert settings.images.builder.name == BUILDER
        assert settings.images.base_images.node == "n:1"

    def test_what_a_docker_daemon_builds_is_not_pushed_without_being_asked(self) -> None:
        builder = {"name": "minikube", "exporter": "docker"}
        found = {"cluster": {"context": "c"}, "images": {"mode": "load", "builder": builder}}
        given = {"images": {"mode": "registry", "repository": "registry.example.com/todo"}}
        assert "images" not in findings.told(found, given)

    def test_nothing_is_mixed_into_a_builder(self) -> None:
        given = {"images": {"mode": "load", "builder": {"name": "mine"}}}
        assert findings.left_open(EMBEDDED, given)["images"] == {"mode": "load"}

    def test_an_engine_alone_builds_where_the_nodes_get_their_images_from(self) -> None:
        given = {"images": {"mode": "load", "builder": {"engine": "docker"}}}
        builder = {"name": "todo-minikube", "exporter": "docker"}
        found = {"images": {"mode": "load", "builder": builder}}
        assert findings.left_open(found, given) == found

    @pytest.mark.parametrize(
        "given", [{}, {"provider": "auto"}, {"provider": "kind"}, {"name": "7"}, {"name": 7}]
    )
    def test_which_cluster_a_stack_is_in_is_always_told(self, given: dict[str, Any]) -> None:
        found = {"cluster": {"provider": "kind", "name": "7", "context": "kind-7"}}
        tree = {"cluster": {"kind": "local", **given}, "images": {"mode": "load"}}
        told = findings.told(found, tree)
        found_out("minikube", told)
        tool, name = machine.where(Stack("minikube"))
        assert (tool.key, name) == ("kind", "7")
        assert parse_settings(tree, told).cluster.name == "7"

    def test_a_value_of_the_stack_is_not_looked_for(self) -> None:
        given = {"cluster": {"kind": "local", "nodeAddress": "todo.test"}, "database": None}
        found = {
            "cluster": {"nodeAddress": "10.89.0.2", "context": "c"},
            "database": {"mode": "inCluster", "image": "i:1"},
        }
        assert findings.left_open(found, given) == {
            "cluster": {"context": "c"},
            "database": {"mode": "inCluster", "image": "i:1"},
        }


class Tool(Embedded):
    """A tool with a cluster that runs, and with nothing behind it."""

    key = "kind"
    title = "kind cluster"

    def installed(self) -> bool:
        return True

    def clusters(self) -> list[Cluster]:
        return [Cluster(name="work", running=True)]

    def named_by(self, context: str) -> str | None:
        return context.removeprefix("kind-")

    def start(self, name: str, ports: Sequence[int]) -> None: ...

    def found(self, name: str, ports: Sequence[int]) -> dict[str, Any]:
        context = {"provider": self.key, "name": name, "context": f"kind-{name}"}
        return {"cluster": {**context, "nodeAddress": "127.0.0.1"}}

    def policies(self, name: str) -> str:
        return f"policies of {name}"


class TestCluster:
    @pytest.mark.parametrize(
        "given",
        [
            {"provider": "kind", "name": "work"},
            {"provider": "auto", "name": "work"},
            {"provider": "kind", "name": "work", "context": "kind-work", "nodeAddress": "1.2.3.4"},
        ],
    )
    def test_that_the_stack_file_names_is_known_to_what_stops_and_removes_it(
        self,
        given: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        tool = Tool()
        monkeypatch.setattr(choice, "PROVIDERS", (tool,))
        settings = {"cluster": {"kind": "local", **given}}
        monkeypatch.setattr(Stack, "settings", lambda _: settings)
        stack = Stack("minikube")
        machine.prepare(stack, machine.chosen(stack))
        assert "policies of work" in capsys.readouterr().out
        assert machine.where(stack) == (tool, "work")
        machine.prepare(stack, machine.chosen(stack))
        assert not capsys.readouterr().out
        found = environment.found_out("minikube")
        assert found["cluster"]["context"] == "kind-work"
        assert not list(contradictions(settings, found, "todo:settings", "found", "make up"))

    @pytest.mark.parametrize("half_made", [False, True])
    @pytest.mark.parametrize("end", [KeyboardInterrupt(), Failure("no room")])
    def test_that_was_not_made_to_its_end_is_set_ups_own_as_far_as_it_is_there(
        self, monkeypatch: pytest.MonkeyPatch, end: BaseException, *, half_made: bool
    ) -> None:
        tool, there = Tool(), list[Cluster]()
        monkeypatch.setattr(choice, "PROVIDERS", (tool,))
        monkeypatch.setattr(tool, "clusters", lambda: there)

        def start(name: str, _: Sequence[int]) -> None:
            there.extend([Cluster(name=name, running=True)] * half_made)
            raise end

        monkeypatch.setattr(tool, "start", start)
        settings = {"cluster": {"kind": "local", "provider": "kind", "name": "work"}}
        monkeypatch.setattr(Stack, "settings", lambda _: settings)
        stack = Stack("minikube")
        with pytest.raises(type(end)):
            machine.prepare(stack, machine.chosen(stack))
        assert machine.made_here(tool, "work") == half_made


class TestEmbeddedCluster:
    @pytest.fixture(autouse=True)
    def embedded(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Everything that would touch the machine is left out."""
        monkeypatch.setattr(choice, "PROVIDERS", (Embedded(),))
        monkeypatch.setattr(node, "check", lambda: None)
        monkeypatch.setattr(images, "present", lambda: set[str]())
        monkeypatch.setattr(supervisor, "enforces", lambda _: True)
        monkeypatch.setattr(binaries, "ensure", lambda: None)
        monkeypatch.setattr(internet, "registry_answers", lambda: False)
        monkeypatch.setattr(node, "start", lambda _: None)
        base = {"python": "p:1", "node": "n:1", "postgres": "q:1"}
        monkeypatch.setattr(images, "ensure_base", lambda _: base)
        yield
        ui.STEPS.clear()

    def prepared(self, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any]) -> dict[str, Any]:
        monkeypatch.setattr(Stack, "settings", lambda _: given)
        stack = Stack("minikube")
        machine.prepare(stack, machine.chosen(stack))
        return environment.found_out("minikube")

    @pytest.mark.parametrize(
        ("given", "wanted"),
        [
            ({}, False),
            ({"metrics": {"mode": "annotations"}}, False),
            ({"database": {"exporter": {}}}, True),
        ],
    )
    def test_an_exporter_is_built_only_where_one_is_asked_for(
        self, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], *, wanted: bool
    ) -> None:
        built: list[str] = []

        def ensure(_: Path, wanted: Sequence[stand_ins.StandIn]) -> None:
            built.extend(it.folder for it in wanted)

        monkeypatch.setattr(stand_ins, "ensure", ensure)
        found = self.prepared(monkeypatch, {"cluster": {"kind": "local"}, **given})
        assert built == ["postgres-exporter"] * wanted
        image = found.get("database", {}).get("exporter", {}).get("image", "")
        assert image.startswith("localhost/todo/addon-postgres-exporter:v0.17.1-") == wanted

    def test_two_stacks_do_not_share_what_was_found_out(
        self, monkeypatch: pytest.MonkeyPatch, clone: Path
    ) -> None:
        found_out("cloud", {"cluster": {"context": "theirs"}})
        self.prepared(monkeypatch, {"cluster": {"kind": "local"}})
        assert environment.found_out("cloud") == {"cluster": {"context": "theirs"}}

    def test_the_images_that_the_stack_names_stay(self, monkeypatch: pytest.MonkeyPatch) -> None:
        given = {
            "images": {"mode": "prebuilt", "backend": "b:1", "frontend": "f:1"},
            "database": {"image": "postgres:17.6"},
        }
        found = self.prepared(monkeypatch, given)
        assert "images" not in found
        assert "image" not in found["database"]
        assert found["cluster"]["context"] == node.CONTEXT

    def test_a_context_of_the_stack_ends_what_was_found_out_before(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Kubectl, "__call__", lambda *_, **__: "ok")
        self.prepared(monkeypatch, {"cluster": {"kind": "local"}})
        assert not self.prepared(monkeypatch, {"cluster": {"kind": "local", "context": "mine"}})

    def test_its_removal_is_forgotten_by_its_stacks_alone(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(node, "delete", lambda: None)
        self.prepared(monkeypatch, {"cluster": {"kind": "local"}})
        found_out("other", {"cluster": {"context": "theirs"}})
        machine.delete()
        assert not environment.found_out("minikube")
        assert environment.found_out("other")

    def test_a_builder_goes_into_the_users_own_folder_without_touching_others(
        self, monkeypatch: pytest.MonkeyPatch, clone: Path
    ) -> None:
        mine = clone / "mine"
        (mine / "instances").mkdir(parents=True)
        (mine / "instances" / "todo").write_text("a builder of the user's")
        monkeypatch.setenv("BUILDX_CONFIG", str(mine))
        self.prepared(monkeypatch, {"cluster": {"kind": "local"}})
        assert (mine / "instances" / "todo").read_text() == "a builder of the user's"
        assert (mine / "instances" / BUILDER).exists()


class TestWhere:
    """Which cluster is stopped or removed for a stack that nothing was found out for."""

    @pytest.fixture(autouse=True)
    def nothing_embedded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(node, "exists", lambda: False)

    def of(self, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
        monkeypatch.setattr(Stack, "settings", lambda _: {"cluster": given})
        tool, name = machine.where(Stack("minikube"))
        return tool.key, name

    @pytest.mark.parametrize(
        ("given", "meant"),
        [
            ({"provider": "kind"}, ("kind", "todo")),
            ({"provider": "minikube", "name": "shop"}, ("minikube", "shop")),
            ({}, ("embedded", "embedded")),
        ],
    )
    def test_it_is_the_one_that_the_settings_name(
        self, given: dict[str, Any], meant: tuple[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert self.of(given, monkeypatch) == meant

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"kind": "managed"}, "cluster.kind is managed"),
            ({"provider": "context"}, "cluster.provider is context"),
            ({"kubeconfig": "~/theirs"}, "cluster.kubeconfig is ~/theirs"),
            ({"context": "production"}, "cluster.context is production"),
            ({"name": "work"}, "cluster.name is work, which `make up` has not made"),
        ],
    )
    def test_it_is_not_another_stacks(
        self, given: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (paths.LOCAL / "clusters.json").write_text('[["kind", "todo"]]')
        with pytest.raises(Failure, match=said):
            self.of(given, monkeypatch)

    def test_it_is_the_one_whose_context_the_settings_name(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert self.of({"context": "kind-work"}, monkeypatch) == ("kind", "work")

    def test_one_that_make_up_made_is_known_when_its_stack_is_gone(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (paths.LOCAL / "clusters.json").write_text('[["kind", "todo"]]')
        assert self.of({"provider": "auto"}, monkeypatch) == ("kind", "todo")
        monkeypatch.setattr(node, "exists", lambda: True)
        assert self.of({}, monkeypatch) == ("embedded", "embedded")


class TestAnotherClusterThanBefore:
    """The stack is in a kind cluster, and its settings have come to want another one."""

    BEFORE = {"cluster": {"provider": "kind", "name": "todo", "context": "kind-todo"}}

    @pytest.fixture(autouse=True)
    def embedded(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """The embedded one, of which nothing touches the machine."""
        found = {"cluster": {"provider": "embedded", "context": node.CONTEXT}}
        said: dict[str, Any] = {"start": None, "found": found, "policies": "", "clusters": []}
        for name, answer in said.items():
            monkeypatch.setattr(Embedded, name, lambda *_, answer=answer: answer)
        monkeypatch.setattr(node, "check", lambda: None)
        # All is there that would have to be built, whatever this machine has.
        monkeypatch.setattr(recipes, "missing", lambda _names: [])
        monkeypatch.setattr(images, "uncollected", list)
        monkeypatch.setattr(internet, "registry_answers", lambda: False)
        given = {"cluster": {"kind": "local", "provider": "embedded"}}
        monkeypatch.setattr(Stack, "settings", lambda _: given)
        place = {"kubeconfig": None, "context": node.CONTEXT, "namespace": "todo-app"}
        monkeypatch.setattr(Stack, "check_settings", lambda _: place)
        found_out("minikube", self.BEFORE)
        yield
        ui.STEPS.clear()

    @pytest.mark.parametrize("provider", ["kind", "embedded"])
    def test_is_a_first_deployment_whose_minutes_are_said(
        self,
        provider: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        def stop() -> None:
            raise Failure("Pulumi is looked for")

        found_out("minikube", {"cluster": {"provider": provider}})
        monkeypatch.setattr(python_env, "ensure", lambda *_, **__: None)
        monkeypatch.setattr(tools, "builds_pulumi", lambda: False)
        monkeypatch.setattr(tools, "ensure_pulumi", stop)
        with pytest.raises(Failure, match="Pulumi is looked for"):
            commands.up(argparse.Namespace(stack="minikube"))
        said = "about 2 min until the application answers" in capsys.readouterr().out
        assert said is (provider == "kind")

    def test_that_is_refused_leads_no_later_update_there(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Stack, "state", lambda _: {})
        monkeypatch.setattr(Stack, "prepare", lambda *_: None)
        monkeypatch.setattr(python_env, "ensure", lambda *_, **__: None)
        for name in ("builds_pulumi", "ensure_pulumi"):
            monkeypatch.setattr(tools, name, lambda: False)
        seen: list[dict[str, Any]] = []

        def refuse(*_: object) -> None:
            seen.append(environment.found_out("minikube"))
            raise Failure("moving it would remove it there")

        monkeypatch.setattr(ownership, "refuse_move", refuse)
        with pytest.raises(Failure, match="moving it"):
            commands.up(argparse.Namespace(stack="minikube"))
        assert seen == [{"cluster": {"provider": "embedded", "context": node.CONTEXT}}]
        assert environment.found_out("minikube") == self.BEFORE

    def test_of_a_deployed_stack_is_refused_before_anything_is_started(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(python_env, "ensure", lambda *_, **__: None)
        for name in ("builds_pulumi", "ensure_pulumi"):
            monkeypatch.setattr(tools, name, lambda: False)
        resource = {"custom": True, "type": "kubernetes:core/v1:Service"}
        state = {"deployment": {"resources": [resource]}}
        monkeypatch.setattr(Stack, "state", lambda _: state)
        started: list[object] = []
        monkeypatch.setattr(machine, "prepare", lambda *them: started.append(them))
        with pytest.raises(Failure, match=r"the embedded cluster.*nothing was changed"):
            commands.up(argparse.Namespace(stack="minikube"))
        assert not started

    def test_that_is_only_started_leads_no_update_there(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # The tests' own environment is not to be installed while they run in it.
        monkeypatch.setattr(python_env, "ensure", lambda *_, **__: None)
        monkeypatch.setattr(tools, "builds_pulumi", lambda: False)
        commands.cluster_start(argparse.Namespace(stack="minikube"))
        assert environment.found_out("minikube") == self.BEFORE
        assert "still in another cluster" in capsys.readouterr().out


@pytest.mark.parametrize("tool", ["minikube", "kind", "k3d"])
def test_a_tool_that_is_not_there_is_one_sentence_with_what_installs_it(
    tool: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    given = {"cluster": {"kind": "local", "provider": tool}}
    monkeypatch.setattr(Stack, "settings", lambda _: given)
    with pytest.raises(
        Failure, match=rf"\(cluster\.provider is {tool}\) needs `{tool}`.*install it with `"
    ):
        machine.chosen(Stack("minikube"))


def test_a_removed_cluster_is_forgotten_by_a_stack_with_a_dot_in_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Embedded, "delete", lambda *_: None)
    found_out("my.first", {"cluster": {"provider": "embedded"}})
    found_out("my", {"cluster": {"provider": "kind"}})
    machine.delete()
    assert not environment.found_out("my.first")
    assert environment.found_out("my")


def test_a_cluster_can_be_started_from_a_fresh_clone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The settings are read with the Python environment, and validated, before anything starts."""
    done: list[str] = []
    monkeypatch.setattr(paths, "PROJECT", tmp_path)
    (tmp_path / "Pulumi.minikube.yaml").write_text("{}")
    monkeypatch.setattr(python_env, "ensure", lambda *_, **__: done.append("environment"))
    monkeypatch.setattr(Stack, "check_settings", lambda _: done.append("settings"))
    monkeypatch.setattr(machine, "chosen", lambda _: done.append("choice"))
    monkeypatch.setattr(machine, "prepare", lambda *_: done.append("start"))
    commands.cluster_start(argparse.Namespace(stack="minikube"))
    assert done == ["environment", "settings", "choice", "start"]


def test_an_unreachable_context_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text("#!/bin/sh\nexit 1\n")
    kubectl.chmod(0o755)
    monkeypatch.setattr(paths, "BIN", tmp_path)
    given = {"cluster": {"kind": "local", "context": "nowhere"}}
    monkeypatch.setattr(Stack, "settings", lambda _: given)
    with pytest.raises(Failure, match=r"kube context nowhere does not answer.*nothing was changed"):
        machine.chosen(Stack("minikube"))
