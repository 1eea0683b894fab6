"""Writes a run into docs/performance.md: where and when, the plot, the table, what is not in it."""

from collections.abc import Sequence
from pathlib import Path

from bench.recorded import Recorded
from bench.row import LeftOut
from bench.table import table

_BEGIN, _END = "<!-- make bench: begin -->", "<!-- make bench: end -->"


def write(run: Recorded, page: Path, *, numbers: str, plot: str) -> None:
    """Replaces what an earlier run has written between the marks; the rest is people's.

    Args:
        run: What was measured.
        page: The page.
        numbers: Where the numbers are, seen from the page.
        plot: Where the plot is, seen from the page.
    """
    head, _, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    _, _, tail = rest.partition(_END)
    where = (
        f"{run.date}, commit {run.commit}, {run.machine}. Medians; in brackets the smallest and "
        f"the largest, and of how many runs ([all of them]({numbers})). In the plot this program "
        "is green, and what is wanted is red."
    )
    picture = f"![Ratios to peers, seconds, requests, memory, as in the table]({plot})"
    parts = [where, picture, table(run.rows), left_out(run.left_out)]
    text = "\n\n".join(part for part in parts if part)
    page.write_text(f"{head}{_BEGIN}\n{text}\n{_END}{tail}", encoding="utf-8")


def left_out(given: Sequence[LeftOut]) -> str:
    """Returns what could not be measured, a line for each."""
    return "\n".join(f"Left out: {it.what}: {it.why}." for it in given)
