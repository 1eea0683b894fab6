"""Which cluster a stack goes to; every tool is stood in for, and nothing is started."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from console.failure import Failure
from distribution.cluster import node
from tests.unit.fake_tools import Tools
from toolchain import paths
from toolchain.providers import choice, docker, user_environment
from toolchain.providers.choice import Choice, choose
from toolchain.providers.docker import Docker
from toolchain.providers.embedded import Embedded
from toolchain.providers.provider import Cluster
from toolchain.providers.user_environment import Answer


@dataclass
class Tool:
    """A tool with the clusters that it is given; what is done with it is written down."""

    key: str
    usual: str = "todo"
    prefix: str = ""
    here: bool = False
    has: dict[str, bool] = field(default_factory=dict[str, bool])

    @property
    def title(self) -> str:
        return f"{self.key} cluster"

    def installed(self) -> bool:
        return self.here

    def clusters(self) -> list[Cluster]:
        return [Cluster(name=name, running=running) for name, running in self.has.items()]

    def named_by(self, context: str) -> str | None:
        name = context.removeprefix(self.prefix)
        known = bool(self.prefix) or name in self.has
        return name if context.startswith(self.prefix) and known else None

    def start(self, name: str, ports: Sequence[int]) -> None:
        raise AssertionError("nothing is started by choosing")

    def found(self, name: str, ports: Sequence[int]) -> dict[str, Any]:
        raise AssertionError("nothing is looked for by choosing")

    def policies(self, name: str) -> str:
        raise AssertionError

    def stop(self, name: str) -> None:
        raise AssertionError

    delete = stop


@dataclass
class Machine:
    """The tools of a machine, and its kubeconfig's current context."""

    minikube: Tool
    kind: Tool
    k3d: Tool
    desktop: Tool
    embedded: Tool
    context: str | None = None
    docker: Docker | None = field(
        default_factory=lambda: Docker(context="default", buildx=True, silence=None)
    )


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine that can run the embedded cluster and has nothing else."""
    it = Machine(
        minikube=Tool("minikube", usual="minikube"),
        kind=Tool("kind", prefix="kind-"),
        k3d=Tool("k3d", prefix="k3d-"),
        desktop=Tool("dockerDesktop", usual="docker-desktop"),
        embedded=Tool("embedded", usual="embedded", prefix="kubernetes-admin@", here=True),
    )
    tools = (it.minikube, it.kind, it.k3d, it.desktop, it.embedded)
    monkeypatch.setattr(choice, "PROVIDERS", tools)
    monkeypatch.setattr(
        user_environment,
        "ask",
        lambda _: Answer(code=int(it.context is None), text=f"{it.context}\n", errors=""),
    )
    monkeypatch.setattr(docker, "ask", lambda: it.docker)
    return it


def chosen(given: dict[str, Any] | None = None, before: dict[str, Any] | None = None) -> str:
    """The choice as words."""
    found = choose({"kind": "local"} | (given or {}), before or {})
    assert found is not None
    return f"{found.provider.key} {found.name}"


def have(tool: Tool, **clusters: bool) -> None:
    tool.here, tool.has = True, clusters


class TestAuto:
    def test_takes_what_needs_nothing_when_nothing_is_there(self, machine: Machine) -> None:
        assert chosen() == "embedded embedded"

    def test_says_what_is_missing_when_nothing_can_be_had(self, machine: Machine) -> None:
        machine.embedded.here = False
        assert chosen() == "embedded embedded"  # whose check says so

    def test_makes_one_with_the_tool_that_is_installed(self, machine: Machine) -> None:
        machine.kind.here = True
        assert chosen() == "kind todo"
        machine.minikube.here = True
        assert chosen() == "minikube minikube"

    @pytest.mark.parametrize(
        "found", [None, Docker(context="default", buildx=None, silence="cannot connect")]
    )
    def test_makes_nothing_in_a_docker_that_does_not_run(
        self, machine: Machine, found: Docker | None
    ) -> None:
        machine.kind.here = machine.k3d.here = True
        machine.docker = found
        assert chosen() == "embedded embedded"

    def test_says_that_docker_is_stopped_where_nothing_else_can_be_had(
        self, machine: Machine
    ) -> None:
        machine.kind.here, machine.embedded.here = True, False
        machine.docker = Docker(context="default", buildx=None, silence="cannot connect")
        assert chosen() == "kind todo"  # whose start says so

    def test_does_not_wait_for_a_docker_desktop_that_is_switched_off(
        self, machine: Machine
    ) -> None:
        have(machine.desktop, **{"docker-desktop": False})
        assert chosen() == "embedded embedded"
        machine.minikube.here = True
        assert chosen() == "minikube minikube"
        machine.minikube.here = machine.embedded.here = False
        assert chosen() == "dockerDesktop docker-desktop"  # whose start says how to switch it on

    def test_makes_no_docker_desktop(self, machine: Machine) -> None:
        machine.desktop.here = True
        assert chosen() == "embedded embedded"

    def test_prefers_what_runs_to_what_is_stopped(self, machine: Machine) -> None:
        have(machine.minikube, minikube=False)
        have(machine.k3d, todo=True)
        assert chosen() == "k3d todo"

    def test_prefers_what_is_stopped_to_what_has_to_be_made(self, machine: Machine) -> None:
        machine.minikube.here = True
        have(machine.k3d, todo=False)
        assert chosen() == "k3d todo"

    def test_an_embedded_cluster_once_made_does_not_hide_the_others(self, machine: Machine) -> None:
        have(machine.embedded, embedded=False)
        have(machine.minikube, minikube=True)
        assert chosen() == "minikube minikube"

    def test_leaves_clusters_of_other_work_alone(self, machine: Machine) -> None:
        have(machine.kind, work=True)
        have(machine.minikube, another=True)
        assert chosen() == "minikube minikube"

    def test_takes_the_one_that_the_person_works_with(self, machine: Machine) -> None:
        have(machine.minikube, minikube=True)
        have(machine.kind, work=True)
        machine.context = "kind-work"
        assert chosen() == "kind work"

    def test_never_starts_one_because_the_kubeconfig_still_points_there(
        self, machine: Machine
    ) -> None:
        have(machine.minikube, minikube=True)
        have(machine.kind, work=False)
        machine.context = "kind-work"
        assert chosen() == "minikube minikube"

    def test_never_goes_where_a_cloud_is_current(self, machine: Machine) -> None:
        machine.context = "arn:aws:eks:eu-central-1:1:cluster/production"
        assert chosen() == "embedded embedded"


class TestRemembered:
    BEFORE = {"provider": "kind", "name": "work", "context": "kind-work"}

    def test_a_stack_stays_where_it_is(self, machine: Machine) -> None:
        have(machine.minikube, minikube=True)
        have(machine.kind, work=False, todo=True)
        machine.context = "minikube"
        assert chosen(before=self.BEFORE) == "kind work"

    def test_two_clusters_side_by_side_keep_their_stacks(self, machine: Machine) -> None:
        have(machine.minikube, minikube=True)
        have(machine.kind, todo=True)
        for provider, name in (("minikube", "minikube"), ("kind", "todo")):
            before = {"provider": provider, "name": name}
            assert chosen(before=before) == f"{provider} {name}"

    def test_somebody_elses_cluster_that_is_gone_is_not_made_again(self, machine: Machine) -> None:
        have(machine.kind, todo=True)
        assert chosen(before=self.BEFORE) == "kind todo"

    @pytest.mark.parametrize(
        ("here", "found"),
        [
            (True, Docker(context="default", buildx=True, silence="cannot connect")),
            (True, None),
            (False, Docker(context="default", buildx=True, silence=None)),
        ],
    )
    def test_a_stack_stays_where_nobody_can_tell_whether_its_cluster_is_there(
        self, machine: Machine, here: bool, found: Docker | None
    ) -> None:
        have(machine.minikube, minikube=True)
        machine.kind.here, machine.docker, machine.context = here, found, "minikube"
        assert chosen(before=self.BEFORE) == "kind work"

    def test_its_own_that_is_gone_is_made_again(self, machine: Machine) -> None:
        have(machine.minikube, minikube=True)
        machine.kind.here = True
        assert chosen(before={"provider": "kind", "name": "todo"}) == "kind todo"

    def test_auto_said_in_the_settings_is_the_same(self, machine: Machine) -> None:
        have(machine.kind, work=True)
        assert chosen({"provider": "auto"}, self.BEFORE) == "kind work"


class TestNamed:
    @pytest.mark.parametrize("key", ["minikube", "kind", "k3d", "dockerDesktop", "embedded"])
    def test_a_tool_that_is_named_wins_over_all_that_runs(self, machine: Machine, key: str) -> None:
        for tool in (machine.minikube, machine.kind, machine.k3d, machine.desktop):
            have(tool, **{tool.usual: True, "work": True})
        machine.context = "kind-work"
        before = {"provider": "k3d", "name": "work"}
        found = choose({"kind": "local", "provider": key}, before)
        assert found is not None
        assert found.provider.key == key
        assert found.name == ("work" if key == "k3d" else found.provider.usual)

    def test_the_name_is_the_clusters(self, machine: Machine) -> None:
        have(machine.minikube, minikube=True, shop=False)
        assert chosen({"provider": "minikube", "name": "shop"}) == "minikube shop"

    def test_a_name_of_digits_is_a_name(self, machine: Machine) -> None:
        have(machine.kind, **{"7": True, "todo": True})
        assert chosen({"name": 7}, {"provider": "kind", "name": 7}) == "kind 7"

    def test_a_name_alone_looks_for_a_cluster_that_is_called_so(self, machine: Machine) -> None:
        have(machine.minikube, minikube=True)
        have(machine.kind, shop=True)
        assert chosen({"name": "shop"}) == "kind shop"

    def test_a_name_is_never_replaced_by_a_cluster_that_has_none(self, machine: Machine) -> None:
        have(machine.desktop, **{"docker-desktop": True})
        with pytest.raises(Failure, match=r"cluster\.name is shop, but .*nothing was changed"):
            chosen({"name": "shop"})
        machine.k3d.here = True
        assert chosen({"name": "shop"}) == "k3d shop"

    @pytest.mark.parametrize(
        ("given", "meant"),
        [
            ({"provider": "kind", "context": "kind-work"}, "kind work"),
            ({"provider": "kind", "context": "kind-work", "name": "work"}, "kind work"),
            ({"provider": "minikube", "context": "minikube"}, "minikube minikube"),
            ({"provider": "minikube", "context": "new", "name": "new"}, "minikube new"),
        ],
    )
    def test_a_context_says_which_cluster_of_a_tool(
        self, machine: Machine, given: dict[str, Any], meant: str
    ) -> None:
        have(machine.kind, todo=True, work=True)
        machine.minikube.here = True
        assert chosen(given) == meant

    @pytest.mark.parametrize(
        "given",
        [
            {"provider": "kind", "context": "k3d-work"},
            {"provider": "kind", "context": "kind-work", "name": "todo"},
            {"provider": "minikube", "context": "kind-work"},
            {"context": "kind-work", "name": "todo"},
        ],
    )
    def test_two_clusters_that_are_named_are_one_sentence(
        self, machine: Machine, given: dict[str, Any]
    ) -> None:
        have(machine.kind, todo=True, work=True)
        have(machine.minikube, minikube=True)
        with pytest.raises(
            Failure, match=rf"but cluster\.context {given['context']} is .*nothing was changed"
        ):
            chosen(given)

    def test_a_context_of_a_local_cluster_means_that_cluster(self, machine: Machine) -> None:
        have(machine.minikube, minikube=True)
        have(machine.k3d, shop=False)
        assert chosen({"context": "k3d-shop"}) == "k3d shop"

    @pytest.mark.parametrize(
        "given",
        [
            {"provider": "context"},
            {"provider": "context", "context": "k3d-shop"},
            {"context": "somewhere"},
            {"context": "k3d-gone"},
            {"kubeconfig": "/mine/config"},
            {"kind": "managed"},
            {"kind": "managed", "context": "k3d-shop"},
        ],
    )
    def test_any_other_context_is_taken_as_it_is(
        self, machine: Machine, given: dict[str, Any]
    ) -> None:
        have(machine.minikube, minikube=True)
        have(machine.k3d, shop=True)
        assert choose({"kind": "local"} | given, TestRemembered.BEFORE) is None


def test_a_choice_knows_whether_its_cluster_is_there(machine: Machine) -> None:
    have(machine.kind, todo=False)
    found = choose({"provider": "kind"}, {})
    assert isinstance(found, Choice)
    assert found.exists
    machine.kind.has = {}
    again = choose({"provider": "kind"}, {})
    assert again is not None
    assert not again.exists


def test_the_current_context_is_that_of_the_persons_own_kubeconfig(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "PROVIDERS", (Embedded(),))
    monkeypatch.setattr(node, "check", lambda: None)
    # eval "$(make env)" of another stack
    monkeypatch.setenv("KUBECONFIG", str(paths.LOCAL / "kubeconfig.kind-todo"))
    tools.answer("kubectl config current-context", "kind-work\n")
    assert choose({}, {}) is not None
    (asked,) = tools.of("kubectl")
    assert "KUBECONFIG" not in asked.environment
