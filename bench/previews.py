"""The preview of a program with many applications: its time should grow as their number does."""

from collections.abc import Sequence

from bench.commands import command
from bench.row import Result, Row, Unit
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

for number in range(int(pulumi.Config().require("number"))):
    name = f"app-{{number}}"
    AppDeployment(name, AppDeploymentArgs(image="app:1", namespace="many", port=8080))
"""


def series_name(number: int) -> str:
    """Returns what the row calls the previews of so many applications."""
    return f"{number} applications"


def measure(stack: object, runs: int) -> Sequence[Result]:
    """Measures previews of 1 to 200 AppDeployments, each with all its objects."""
    del stack  # they have a program of their own
    with own_state() as state:
        folder = state.folder
        (folder / "Pulumi.yaml").write_text(
            "name: many\nruntime:\n  name: python\n"
            f"  options: {{virtualenv: {PROJECT / '.venv'}}}\n"
        )
        (folder / "__main__.py").write_text(_PROGRAM.format(project=str(PROJECT)))

        def pulumi(number: int, *arguments: str) -> None:
            of = ("--stack", f"many-{number}")
            command("pulumi", *arguments, *of, cwd=folder, environment=state.environment)

        for number in NUMBERS:
            pulumi(number, "stack", "init")
            pulumi(number, "config", "set", "number", str(number))

        found = side_by_side(
            {series_name(n): Peer(run=lambda n=n: pulumi(n, "preview")) for n in NUMBERS}, runs
        )
    few, many = NUMBERS[2], NUMBERS[-1]
    return [
        Row(
            what=f"preview of {many} AppDeployments beside one of {few}",
            unit=Unit.SECONDS,
            ours=series_name(many),
            peer=series_name(few),
            series=found,
            wanted=RatioAtMost(number=many / few),
        )
    ]
