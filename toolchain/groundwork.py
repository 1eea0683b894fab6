"""What takes minutes on a bare machine: built and collected side by side, before all other steps.

Those find it done. How long it takes, and what of it is not needed here, is said first.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from distribution import binaries, recipes, store
from distribution.cluster import images, node
from toolchain import internet, side_by_side, tools, ui
from toolchain.providers.choice import Choice

_COLLECTING = 2
"""Minutes for all base images, where nothing is built meanwhile."""
_DEPLOYING = 2
"""Minutes for what comes after it: the cluster's start, the application's images, the rollout."""


def lay(choice: Choice | None, *, builds_pulumi: bool) -> None:
    """Builds and collects what this machine lacks.

    Args:
        choice: The local cluster; None: it is there already.
        builds_pulumi: Whether Pulumi is built, because it can be had in no other way.

    Raises:
        Failure: Something of it can neither be built nor fetched.
    """
    embedded = choice is not None and choice.provider.key == "embedded"
    wanted = (
        *(tools.RECIPES if builds_pulumi else ()),
        *(binaries.RECIPES if embedded else ()),
    )
    absent = recipes.missing(wanted)
    # A cluster that is there has its base images, whichever they are.
    stand_ins = (
        images.uncollected()
        if embedded and not node.exists() and not internet.registry_answers()
        else []
    )
    if not absent and not stand_ins:
        return
    with ui.step("What this machine lacks"):
        for line in _estimate(absent, stand_ins):
            ui.say(f"  {line}")
        if not_needed := _not_needed(choice, builds_pulumi=builds_pulumi):
            ui.say(f"  not needed here: {'; '.join(not_needed)}")
        if sparing := _sparing(absent):
            ui.say(f"  spared by {', by '.join(sparing)}")
        if embedded:
            binaries.install_packages()
        tasks: list[Callable[[], object]] = []
        if absent:
            tasks.append(partial(recipes.build_missing, absent))
        if absent[1:]:
            tasks.append(partial(recipes.fetch, absent[1:]))
        if stand_ins:
            tasks.append(partial(images.collect_all, stand_ins))
        side_by_side.run(*tasks)


def _estimate(absent: list[str], stand_ins: list[str]) -> list[str]:
    """Says how long it takes, and what is done."""
    minutes = {it: recipes.RECIPES[it].minutes for it in absent}
    total = sum(minutes.values()) or _COLLECTING
    lines = [f"about {total:.0f} min on 2 cores, then {_DEPLOYING} until the application answers"]
    if absent:
        built = ", ".join(f"{it} {minutes[it]:g} min" for it in absent)
        lines.append(f"built from Go modules: {built}")
    if stand_ins:
        lines.append(f"collected from Debian's packages: images of {', '.join(stand_ins)}")
    return lines


def _not_needed(choice: Choice | None, *, builds_pulumi: bool) -> list[str]:
    """Says what is not built, and why."""
    found: list[str] = []
    if not builds_pulumi:
        found.append("Pulumi, which is on PATH or comes from its installer")
    if choice is None:
        found.append("a cluster's programs, since the stack names a kube context")
    elif choice.provider.key != "embedded":
        found.append(f"a cluster's programs, since there is {choice.called}")
    return found


def _sparing(absent: list[str]) -> list[str]:
    """Says what would make building needless."""
    ways = [
        *(["an installed Pulumi"] if {*absent} & {*tools.RECIPES} else []),
        *(["an installed Minikube, kind or k3d"] if {*absent} & {*binaries.RECIPES} else []),
    ]
    return [*ways, f"a folder of what others have built ({store.VARIABLE})"] if absent else []
