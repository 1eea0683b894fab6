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
    groundwork.lay(EMBEDDED, builds_pulumi=True)
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
    assert "then 2 until the application answers" in said
    assert (
        "spared by an installed Pulumi, by an installed Minikube, kind or k3d, by a folder of what "
        "others have built (TODO_CACHE)"
    ) in said
    assert "not needed" not in said


def test_a_cluster_that_is_there_spares_its_programs(
    bare: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    groundwork.lay(MINIKUBE, builds_pulumi=True)
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
    groundwork.lay(EMBEDDED, builds_pulumi=False)
    assert not {it for it in tools.RECIPES if any(it in line.split() for line in bare.done)}
    assert "not needed here: Pulumi" in capsys.readouterr().out


def test_a_registry_that_answers_spares_the_stand_ins(
    bare: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(internet, "registry_answers", lambda: True)
    groundwork.lay(EMBEDDED, builds_pulumi=True)
    assert not [it for it in bare.done if it.startswith("collect")]


@pytest.mark.parametrize("choice", [EMBEDDED, MINIKUBE, None])
def test_nothing_is_said_or_done_where_all_is_there(
    choice: Choice | None, bare: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    bare.kept |= {*tools.RECIPES, *binaries.RECIPES, *images.BASE_IMAGES}
    groundwork.lay(choice, builds_pulumi=True)
    assert bare.done == []
    assert capsys.readouterr().out == ""
