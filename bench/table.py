"""The rows as a table in Markdown."""

from collections.abc import Iterable, Sequence
from typing import assert_never

from bench.row import Row, Unit
from bench.wanted import in_words

_HEAD = ("what", "this program", "beside it", "ratio", "wanted", "")


def table(rows: Sequence[Row]) -> str:
    """Returns the table; a row's note stands below it."""
    lines = [_line(_HEAD), _line("---" for _ in _HEAD), *(_line(_cells(row)) for row in rows)]
    notes = [f"- {row.what}: {row.note}" for row in rows if row.note]
    return "\n".join([*lines, *([""] if notes else []), *notes])


def number(value: float, unit: Unit) -> str:
    """Returns a value as people read it."""
    match unit:
        case Unit.SECONDS:
            return f"{value:.1f}" if value >= 1 else f"{value:.3f}"
        case Unit.PER_SECOND | Unit.FAILED | Unit.MEBIBYTES:
            return f"{value:,.0f}"
        case _:
            assert_never(unit)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(row: Row) -> tuple[str, ...]:
    others = [_named(row, name) for name in row.series if name != row.ours]
    verdict = {None: "", True: "reached", False: "**missed**"}[row.met]
    return (
        row.what,
        _named(row, row.ours),
        "<br>".join(others) or "-",
        "-" if row.ratio is None else f"{row.ratio:.2f}",
        "-" if row.wanted is None else in_words(row.wanted, row.unit.value),
        verdict,
    )


def _named(row: Row, name: str) -> str:
    series = row.series[name]
    value = f"{name}: {number(row.of(name), row.unit)} {row.unit.value}"
    if len(series.runs) == 1:
        return f"{value} (one run)"
    low, high = (number(it, row.unit) for it in series.spread)
    return f"{value} ({low} to {high}, {len(series.runs)} runs)"
