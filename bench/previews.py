"""The preview of a program with many applications: its time should grow as their number does."""

from collections.abc import Mapping, Sequence

from bench.commands import command
from bench.row import Result, Row, Unit
from bench.series import Series
from bench.stack import PROJECT
from bench.state import own_state
from bench.timing import Peer, side_by_side
from bench.wanted import RatioAtMost

NUMBERS = (1, 10, 50, 100, 200)
_PROGRAM = """
import atexit
import gc
import sys

import pulumi

# As docs/components/README.md recommends.
gc.disable()
atexit.register(gc.freeze)
sys.path.insert(0, {project!r})

from components.app import AppDeployment, AppDeploymentArgs
from components.cluster.managed import managed
from components.cluster.mark import Mark

opts = managed(mark=Mark(owner=pulumi.get_stack()))
for number in range(int(pulumi.Config().require("number"))):
    name = f"app-{{number}}"
    AppDeployment(name, AppDeploymentArgs(image="app:1", namespace="many", port=8080), opts)
"""


_WITHOUT_CHECKPOINTS = {"PULUMI_SKIP_CHECKPOINTS": "true"}
"""Else Pulumi writes down the whole state after each step, and in a preview throws that away."""
_RUNS_WITH_CHECKPOINTS = 1
"""They take half a minute, and show how far Pulumi itself is from growing evenly."""


def series_name(number: int) -> str:
    """Returns what the row calls the previews of so many applications."""
    return f"{number} applications"


def measure(stack: object, runs: int) -> Sequence[Result]:
    """Measures previews of 1 to 200 AppDeployments, each with all its objects."""
    del stack  # they have a program of their own
    few, many = NUMBERS[2], NUMBERS[-1]
    with own_state() as state:
        folder = state.folder
        (folder / "Pulumi.yaml").write_text(
            "name: many\nruntime:\n  name: python\n"
            f"  options: {{virtualenv: {PROJECT / '.venv'}}}\n"
        )
        (folder / "__main__.py").write_text(_PROGRAM.format(project=str(PROJECT)))

        def pulumi(number: int, *arguments: str, variables: Mapping[str, str]) -> None:
            of = ("--stack", f"many-{number}")
            environment = {**state.environment, **variables}
            command("pulumi", *arguments, *of, cwd=folder, environment=environment)

        def previews(numbers: Sequence[int], runs: int, **variables: str) -> dict[str, Series]:
            def preview(number: int) -> Peer:
                return Peer(run=lambda: pulumi(number, "preview", variables=variables))

            return side_by_side({series_name(it): preview(it) for it in numbers}, runs)

        for number in NUMBERS:
            pulumi(number, "stack", "init", variables={})
            pulumi(number, "config", "set", "number", str(number), variables={})
        found = previews(NUMBERS, runs, **_WITHOUT_CHECKPOINTS)
        with_checkpoints = previews((many, few), _RUNS_WITH_CHECKPOINTS)

    def row(how: str, series: dict[str, Series], note: str) -> Row:
        return Row(
            what=f"preview of {many} AppDeployments beside one of {few}, {how}",
            unit=Unit.SECONDS,
            ours=series_name(many),
            peer=series_name(few),
            series=series,
            wanted=RatioAtMost(number=many / few),
            note=note,
        )

    [variable] = _WITHOUT_CHECKPOINTS
    return [
        row("without checkpoints", found, f"{variable}=true, which is for previews alone"),
        row("with checkpoints", with_checkpoints, ""),
    ]
