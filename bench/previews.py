"""The preview of a program with many applications: its time should grow as their number does."""

from bench.row import Row
from bench.stack import PROJECT
from bench.state import own_state
from bench.timing import command, side_by_side

_NUMBERS = (1, 10, 50, 100, 200)
_PROGRAM = """
import sys

import pulumi

sys.path.insert(0, {project!r})

from components.app import AppDeployment, AppDeploymentArgs

for number in range(int(pulumi.Config().require("number"))):
    name = f"app-{{number}}"
    AppDeployment(name, AppDeploymentArgs(image="app:1", namespace="many", port=8080))
"""


def rows() -> list[Row]:
    """Measures previews of 1 to 200 AppDeployments, each with all its objects."""
    with own_state() as folder:
        (folder / "Pulumi.yaml").write_text(
            "name: many\nruntime:\n  name: python\n"
            f"  options: {{virtualenv: {PROJECT / '.venv'}}}\n"
        )
        (folder / "__main__.py").write_text(_PROGRAM.format(project=str(PROJECT)))
        for number in _NUMBERS:
            stack = ("--stack", f"many-{number}")
            command("pulumi", "stack", "init", f"many-{number}", cwd=folder)
            command("pulumi", "config", "set", "number", str(number), *stack, cwd=folder)

        def preview(number: int) -> None:
            command("pulumi", "preview", "--stack", f"many-{number}", cwd=folder)

        timings = side_by_side(
            {f"{n} applications": lambda n=n: preview(n) for n in _NUMBERS}, runs=3
        )
    few, many = f"{_NUMBERS[2]} applications", f"{_NUMBERS[-1]} applications"
    return [
        Row(
            what="preview of 200 applications beside one of 50",
            ours=many,
            peer=few,
            bar=_NUMBERS[-1] / _NUMBERS[2],
            timings=timings,
        )
    ]
