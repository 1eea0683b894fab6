"""The result as a page of docs: a table, and the raw numbers beside it."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.row import Row
from bench.timing import Timing

PAGE = Path("docs/performance.md")
NUMBERS = Path("docs/performance.json")
_BEGIN, _END = "<!-- make bench: begin -->", "<!-- make bench: end -->"


def as_json(rows: Sequence[Row], machine: str, commit: str) -> dict[str, Any]:
    """Returns all that was measured, with where and when."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine,
        "commit": commit,
        "rows": {
            row.what: {
                "ratio": row.ratio and round(row.ratio, 2),
                "bar": row.bar,
                "seconds": {
                    name: [round(run, 2) for run in timing.runs]
                    for name, timing in row.timings.items()
                },
            }
            for row in rows
        },
    }


def write(rows: Sequence[Row], machine: str, commit: str) -> None:
    """Writes the numbers, and the table into its place on the page."""
    found = as_json(rows, machine, commit)
    NUMBERS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    head, _, rest = page.partition(_BEGIN)
    _, _, tail = rest.partition(_END)
    where = (
        f"{found['date']}, commit {commit}, {machine}; medians of several runs "
        "(shortest to longest)."
    )
    PAGE.write_text(f"{head}{_BEGIN}\n{where}\n\n{table(rows)}\n{_END}{tail}", encoding="utf-8")


def table(rows: Sequence[Row]) -> str:
    """Returns the Markdown table."""
    lines = ["| what | this program | beside | ratio | wanted |", "|---|---|---|---|---|"]
    for row in rows:
        peer = f"{row.peer}: {_seconds(row.timings[row.peer])}" if row.peer else "-"
        ratio = f"{row.ratio:.2f}" if row.ratio else "-"
        bar = f"≤ {row.bar:g}" if row.bar else "-"
        ours = f"{row.ours}: {_seconds(row.timings[row.ours])}"
        lines.append(f"| {row.what} | {ours} | {peer} | {ratio} | {bar} |")
    return "\n".join(lines)


def _seconds(timing: Timing) -> str:
    low, high = timing.spread
    return f"{timing.median:.1f} s ({low:.1f} to {high:.1f})"
