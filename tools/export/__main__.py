"""Writes a stack as plain manifests and as a chart: `python -m tools.export --stack NAME`."""

import argparse
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import yaml

from console.failure import Failure
from tests.recording import ROOT
from tools.export.chart import chart_files
from tools.export.folder import write
from tools.export.objects import StackObjects, stack_names, stack_objects
from tools.export.plain import plain_files
from tools.export.readme import readme


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the program for all stacks under the recording engine, and writes what one declares.

    Args:
        arguments: The command line; none: the process's own.

    Raises:
        Failure: There is no such stack, the settings of one are wrong, or the folder cannot be
            written.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.export", description=__doc__)
    parser.add_argument("--stack", default="minikube", help="whose stack file is exported")
    parser.add_argument("--out", type=Path, help="folder to write; none: export/<stack>")
    given = parser.parse_args(arguments)
    out: Path = given.out or Path("export", given.stack)
    files = exported(stack_objects(given.stack), [stack_objects(it) for it in stack_names()])
    write(out, files)
    sys.stdout.write(f"Wrote {out}: manifests/, chart/ and README.md, which says what is left.\n")


def exported(stack: StackObjects, stacks: Sequence[StackObjects]) -> dict[str, str]:
    """Returns the files of an export by their paths.

    Args:
        stack: What is exported.
        stacks: All stacks, which the chart has values for.
    """
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    library = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    chart = chart_files(
        stacks,
        stack.stack,
        name=project["name"],
        description=project["description"],
        version=library["project"]["version"],
    )
    text = readme(
        stack,
        [it.stack for it in stacks],
        again=f"make export STACK={stack.stack}",
        chart=project["name"],
    )
    return {
        "README.md": text,
        **{f"manifests/{name}": text for name, text in plain_files(stack).items()},
        **{f"chart/{name}": text for name, text in chart.items()},
    }


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.stderr.write(f"{failure}\n")
        sys.exit(int(failure.code))
