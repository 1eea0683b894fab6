"""What takes minutes on a bare machine: built and collected side by side, before all other steps.

Those find it done. How long it takes, and what of it is not needed here, is said first, and on a
first deployment also where nothing is built.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from distribution import binaries, recipes, store
from distribution.cluster import images, node
from toolchain import internet, side_by_side, tools, ui
from toolchain.providers.choice import Choice

_COLLECTING = 2
"""Minutes for all base images, where nothing is built meanwhile."""
_DEPLOYING = 2
"""Minutes for what comes after it: the cluster's start, the application's images, the rollout."""


@dataclass(frozen=True, kw_only=True)
class _Needs:
    """What a deployment needs, and what of it is not there.

    Attributes:
        choice: The local cluster; None: it is there already.
        pulumi: Whether Pulumi is built.
        kept: Recipes that a cache has.
        absent: Recipes that are to be built.
        bases: Where base images come from: a cluster has them, whichever they are; or a registry;
            or archives of Debian's packages.
        stand_ins: Base images whose archives are to be made.
    """

    choice: Choice | None
    pulumi: bool
    kept: list[str]
    absent: list[str]
    bases: Literal["cluster", "registry", "archives"]
    stand_ins: list[str]

    @property
    def nothing(self) -> bool:
        """Whether nothing is to be built or collected."""
        return not self.absent and not self.stand_ins


def lay(choice: Choice | None, *, builds_pulumi: bool, first: bool) -> None:
    """Builds and collects what this machine lacks.

    Args:
        choice: The local cluster; None: it is there already.
        builds_pulumi: Whether Pulumi is built, because it can be had in no other way.
        first: Whether the stack has not been in this cluster yet.

    Raises:
        Failure: Something of it can neither be built nor fetched.
    """
    needs = _needs(choice, builds_pulumi=builds_pulumi)
    if needs.nothing and not first:
        return
    with ui.step("What this machine lacks"):
        for line in _estimate(needs):
            ui.say(f"  {line}")
        if not_needed := _not_needed(needs):
            ui.say(f"  not needed here: {'; '.join(not_needed)}")
        if sparing := _sparing(needs):
            ui.say(f"  spared by {', by '.join(sparing)}")
        if not needs.nothing:
            _make(needs)


def _needs(choice: Choice | None, *, builds_pulumi: bool) -> _Needs:
    embedded = _is_embedded(choice)
    wanted = (*(tools.RECIPES if builds_pulumi else ()), *(binaries.RECIPES if embedded else ()))
    absent = recipes.missing(wanted)
    bases = _bases(embedded=embedded)
    return _Needs(
        choice=choice,
        pulumi=builds_pulumi,
        kept=[it for it in wanted if it not in absent],
        absent=absent,
        bases=bases,
        stand_ins=images.uncollected() if bases == "archives" else [],
    )


def _bases(*, embedded: bool) -> Literal["cluster", "registry", "archives"]:
    if not embedded:
        return "registry"
    if node.exists():
        return "cluster"
    return "registry" if internet.registry_answers() else "archives"


def _make(needs: _Needs) -> None:
    if _is_embedded(needs.choice):
        binaries.install_packages()
    tasks: list[Callable[[], object]] = []
    if needs.absent:
        tasks.append(partial(recipes.build_missing, needs.absent))
    if needs.absent[1:]:
        tasks.append(partial(recipes.fetch, needs.absent[1:]))
    if needs.stand_ins:
        tasks.append(partial(images.collect_all, needs.stand_ins))
    side_by_side.run(*tasks)


def _estimate(needs: _Needs) -> list[str]:
    """Says how long it takes, and what is done."""
    deploying = f"{_DEPLOYING} min until the application answers{_beside(needs)}"
    if needs.nothing:
        return [f"nothing is to be built: about {deploying}"]
    minutes = {it: recipes.RECIPES[it].minutes for it in needs.absent}
    total = sum(minutes.values()) or _COLLECTING
    lines = [f"about {total:.0f} min on 2 cores, then {deploying}"]
    if minutes:
        built = ", ".join(f"{it} {minutes[it]:g} min" for it in minutes)
        lines.append(f"built from Go modules: {built}")
    if needs.stand_ins:
        names = ", ".join(needs.stand_ins)
        lines.append(f"collected from Debian's packages: images of {names}")
    return lines


def _beside(needs: _Needs) -> str:
    """Says what takes time that nobody here can tell."""
    choice = needs.choice
    what = ["the download of images"] if needs.bases == "registry" else []
    if choice and not choice.exists and not _is_embedded(choice):
        what.append(f"the making of {choice.called}")
    return f", beside {' and '.join(what)}" if what else ""


def _not_needed(needs: _Needs) -> list[str]:
    """Says what is not built or collected, and why."""
    choice = needs.choice
    found: list[str] = []
    if not needs.pulumi:
        found.append("Pulumi, which is on PATH or comes from its installer")
    if choice is None:
        found.append("a cluster's programs, since the stack names a kube context")
    elif not _is_embedded(choice):
        has = f"there is {choice.called}" if choice.exists else f"{choice.called} can be made"
        found.append(f"a cluster's programs, since {has}")
    if needs.kept:
        found.append(f"building {', '.join(needs.kept)}, which a cache has")
    if _is_embedded(choice) and needs.bases == "registry":
        found.append("Debian's packages for base images, since Docker Hub answers")
    elif needs.bases == "archives" and not needs.stand_ins:
        found.append("Debian's packages for base images, which a cache has")
    return found


def _sparing(needs: _Needs) -> list[str]:
    """Says what would make building and collecting needless."""
    ways = [
        *(["an installed Pulumi"] if {*needs.absent} & {*tools.RECIPES} else []),
        *(["an installed Minikube, kind or k3d"] if {*needs.absent} & {*binaries.RECIPES} else []),
        *(["a Docker Hub that answers"] if needs.stand_ins else []),
    ]
    return [*ways, f"a folder of what others have built ({store.VARIABLE})"] if ways else []


def _is_embedded(choice: Choice | None) -> bool:
    return choice is not None and choice.provider.key == "embedded"
