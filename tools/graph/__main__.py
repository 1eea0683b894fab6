"""Draws a stack as the program declares it: `python -m tools.graph --stack NAME --out FILE`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from console.failure import ExitCode, Failure
from tests.programs import run_program, stack_settings
from tools.graph.architecture import picture
from tools.graph.dot import dot_text, render
from tools.graph.resources import resources_of

_KINDS = ("svg", "png", "pdf", "dot")


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the program under the recording engine and draws what it declares.

    Args:
        arguments: The command line; none: the process's own.

    Raises:
        Failure: The file cannot be written, or Graphviz is missing or cannot draw it.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.graph", description=__doc__)
    parser.add_argument("--stack", default="minikube", help="whose stack file is drawn")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("docs/images/architecture.svg"),
        help="file to write: .svg, .png, .pdf, or .dot without Graphviz",
    )
    given = parser.parse_args(arguments)
    kind = _kind_of(given.out)
    recording = run_program(stack_settings(given.stack), stack=given.stack)
    text = dot_text(picture(resources_of(recording)))
    _write(given.out, text.encode() if kind == "dot" else render(text, kind))
    sys.stdout.write(f"Wrote {given.out}.\n")


def _kind_of(out: Path) -> str:
    kind = out.suffix.removeprefix(".").lower()
    if kind not in _KINDS:
        raise Failure(
            f"--out {out} has to end in {', '.join(f'.{it}' for it in _KINDS[:-1])} or .dot.",
            ExitCode.USAGE,
        )
    return kind


def _write(out: Path, content: bytes) -> None:
    try:
        out.write_bytes(content)
    except OSError as error:
        raise Failure(
            f"{out} cannot be written ({error.strerror}); name another file with --out.",
            ExitCode.USAGE,
        ) from None


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.stderr.write(f"{failure}\n")
        sys.exit(int(failure.code))
