"""`graph`: a picture of what is deployed, drawn from Pulumi's state."""

from pathlib import Path
from typing import Annotated

import typer

from ops.context import target
from ops.failure import ExitCode, Failure
from ops.graph.architecture import picture
from ops.graph.dot import dot_text, render
from ops.terminal import progress, say

_KINDS = ("svg", "png", "pdf", "dot")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(graph)


def graph(
    context: typer.Context,
    out: Annotated[
        Path, typer.Option(help="File to write: .svg, .png, .pdf, or .dot without Graphviz.")
    ] = Path("architecture.svg"),
) -> None:
    """Draw the deployed stack: components, their objects, and who may connect to whom."""
    kind = kind_of(out)
    with progress("Reading Pulumi's state"):
        diagram = picture(target(context).stack.resources())
    text = dot_text(diagram)
    write(out, text.encode() if kind == "dot" else render(text, kind))
    say(f"Wrote {out}.")


def kind_of(out: Path) -> str:
    """Returns what to make of a file, by its ending.

    Raises:
        Failure: The ending says nothing.
    """
    kind = out.suffix.removeprefix(".").lower()
    if kind not in _KINDS:
        raise Failure(
            f"--out {out} has to end in {', '.join(f'.{it}' for it in _KINDS[:-1])} or .dot.",
            ExitCode.USAGE,
        )
    return kind


def write(out: Path, content: bytes) -> None:
    """Writes the file.

    Raises:
        Failure: It cannot be written.
    """
    try:
        out.write_bytes(content)
    except OSError as error:
        raise Failure(
            f"{out} cannot be written ({error.strerror}); name another file with --out.",
            ExitCode.USAGE,
        ) from None
