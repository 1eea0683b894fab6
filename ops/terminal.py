"""Output: colour and progress on a terminal, plain lines and JSON elsewhere."""

import json
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from kubernetes import utils
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.invocation import told

out = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
err = Console(stderr=True, highlight=False, soft_wrap=not sys.stderr.isatty())

_INTERRUPTED: list[str] = []
"""What was being waited for when somebody interrupted it, the first one first."""
COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_cyan", "bright_magenta")


def say(text: str, style: str = "") -> None:
    """Prints one line to standard output; nothing in it is read as markup."""
    out.print(Text(told(text), style=style))


def note(text: str, style: str = "dim") -> None:
    """Prints one line to standard error, so that standard output stays clean."""
    err.print(Text(told(text), style=style))


def print_json(value: object) -> None:
    """Prints a value as indented JSON."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


def table(headings: Sequence[str], rows: Sequence[Sequence[str | Text]]) -> None:
    """Prints a table on a terminal, and lines with tabs between the columns elsewhere."""
    if not out.is_terminal:
        for row in rows:
            sys.stdout.write("\t".join(str(cell) for cell in row) + "\n")
        return
    grid = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in headings:
        grid.add_column(heading, overflow="fold")
    for row in rows:
        grid.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    out.print(grid)


@contextmanager
def progress(title: str) -> Generator[None]:
    """Shows what is being waited for: a spinner on a terminal, one line elsewhere."""
    try:
        if err.is_terminal:
            with err.status(Text(title)):
                yield
        else:
            note(f"{title} …")
            yield
    except KeyboardInterrupt:
        _INTERRUPTED.append(title)
        raise


def interrupted() -> str | None:
    """Returns in what a command was interrupted, as `progress` calls it; None: in nothing."""
    return _INTERRUPTED[0] if _INTERRUPTED else None


def size(octets: int) -> str:
    """Returns bytes as `512 B`, `3.4 KiB`, `1.2 GiB`."""
    value = float(octets)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            return f"{octets} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{octets} B"


def amount_of(quantity: str) -> int:
    """Returns what a Kubernetes quantity stands for: `1k` for 1000, `1Gi`; 0 where it is none."""
    try:
        return int(cast("Any", utils).parse_quantity(quantity))
    except ValueError:
        return 0
