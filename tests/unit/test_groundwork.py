"""What a bare machine lacks is said first, and made before all other steps."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import pytest

from distribution import binaries, recipes
from distribution.cluster import images, node
from toolchain import groundwork, internet, tools
from toolchain.providers.choice import Choice, provider

EMBEDDED = Choice(
    provider=provider("embedded"), name="embedded", exists=False, why="nothing else is there"
)
MINIKUBE = Choice(provider=provider("minikube"), name="minikube", exists=True, why="it runs")


@dataclass
class Machine:
    """What was done on a machine that has nothing."""

    done: list[str] = field(default_factory=list[str])
    kept: set[str] = field(default_factory=set[str])

    def missing(self, names: Sequence[str]) -> list[str]:
        return [it for it in names if it not in self.kept]

    def uncollected(self) -> list[str]:
        return self.missing(list(images.BASE_IMAGES))

    def note(self, what: str, names: Sequence[str] = ()) -> None:
        self.done.append(" ".join([what, *names]))


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> Machine:
    bare = Machine()
    monkeypatch.setattr(recipes, "missing", bare.missing)
    monkeypatch.setattr(recipes, "build_missing", partial(bare.note, "build"))
    monkeypatch.setattr(recipes, "fetch", partial(bare.note, "fetch"))
    monkeypatch.setattr(images, "uncollected", bare.uncollected)
    monkeypatch.setattr(images, "collect_all", partial(bare.note, "collect"))
    monkeypatch.setattr(binaries, "install_packages", partial(bare.note, "packages"))
    monkeypatch.setattr(internet, "registry_answers", lambda: False)
    monkeypatch.setattr(node, "exists", lambda: False)
    return bare


def test_everything_is_made_where_nothing_is_there(
    bare: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    groundwork.lay(EMBEDDED, builds_pulumi=True, first=True)
    wanted = [*tools.RECIPES, *binaries.RECIPES]
    assert bare.done[0] == "packages"
    assert sorted(bare.done[1:]) == sorted(
        [
            " ".join(["build", *wanted]),
            " ".join(["fetch", *wanted[1:]]),
            " ".join(["collect", *images.BASE_IMAGES]),
        ]
    )
    said = capsys.readouterr().out
    minutes = sum(recipes.RECIPES[it].minutes for it in wanted)
    assert f"about {minutes:.0f} min on 2 cores" in said
    assert all(it in said for it in (*wanted, *images.BASE_IMAGES))
    assert "then 2 min until the application answers" in said
    assert (
        "spared by an installed Pulumi, by an installed Minikube, kind or k3d, by a Docker Hub "
        "that answers, by a folder of what others have built (TODO_CACHE)"
    ) in said
    assert "not needed" not in said


def test_a_cluster_that_is_there_spares_its_programs(
    bare: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    groundwork.lay(MINIKUBE, builds_pulumi=True, first=True)
    assert sorted(bare.done) == [
        " ".join(["build", *tools.RECIPES]),
        " ".join(["fetch", *tools.RECIPES[1:]]),
    ]
    assert f"not needed here: a cluster's programs, since there is {MINIKUBE.called}" in (
        capsys.readouterr().out
    )


def test_an_installed_pulumi_is_not_built(
    bare: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    groundwork.lay(EMBEDDED, builds_pulumi=False, first=True)
    assert not {it for it in tools.RECIPES if any(it in line.split() for line in bare.done)}
    assert "not needed here: Pulumi" in capsys.readouterr().out


def test_a_registry_that_answers_spares_the_stand_ins(
    bare: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(internet, "registry_answers", lambda: True)
    groundwork.lay(EMBEDDED, builds_pulumi=True, first=True)
    assert not [it for it in bare.done if it.startswith("collect")]


def test_a_first_deployment_says_its_minutes_where_all_is_installed(
    bare: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    groundwork.lay(MINIKUBE, builds_pulumi=False, first=True)
    assert bare.done == []
    assert capsys.readouterr().out.splitlines() == [
        "▸ What this machine lacks",
        "  nothing is to be built: about 2 min until the application answers, beside the download "
        "of images",
        "  not needed here: Pulumi, which is on PATH or comes from its installer; a cluster's "
        f"programs, since there is {MINIKUBE.called}",
    ]


def test_what_another_tool_takes_to_make_a_cluster_is_said_to_be_unknown(
    bare: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    kind = Choice(provider=provider("kind"), name="todo", exists=False, why="it can be made here")
    groundwork.lay(kind, builds_pulumi=False, first=True)
    said = capsys.readouterr().out
    assert f"beside the download of images and the making of {kind.called}" in said
    assert f"a cluster's programs, since {kind.called} can be made" in said
    assert bare.done == []


def test_docker_hub_that_answers_is_named_as_what_spares_base_images(
    bare: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(internet, "registry_answers", lambda: True)
    bare.kept |= {*binaries.RECIPES}
    groundwork.lay(EMBEDDED, builds_pulumi=False, first=True)
    said = capsys.readouterr().out
    assert "Debian's packages for base images, since Docker Hub answers" in said
    assert "beside the download of images" in said
    assert bare.done == []


def test_what_a_cache_has_is_named_as_spared(
    bare: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    bare.kept |= {*tools.RECIPES, *binaries.RECIPES, *images.BASE_IMAGES}
    groundwork.lay(EMBEDDED, builds_pulumi=True, first=True)
    said = capsys.readouterr().out
    recipes_kept = ", ".join([*tools.RECIPES, *binaries.RECIPES])
    assert f"building {recipes_kept}, which a cache has" in said
    assert "Debian's packages for base images, which a cache has" in said
    assert "download" not in said
    assert bare.done == []


@pytest.mark.parametrize("choice", [EMBEDDED, MINIKUBE, None])
def test_a_later_run_says_and_does_nothing_where_all_is_there(
    choice: Choice | None, bare: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    bare.kept |= {*tools.RECIPES, *binaries.RECIPES, *images.BASE_IMAGES}
    groundwork.lay(choice, builds_pulumi=True, first=False)
    assert bare.done == []
    assert capsys.readouterr().out == ""
