"""What the plot shows of the rows: panels of bars, and a line."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench import previews
from bench.row import Row, Unit
from bench.series import Series
from bench.table import number
from bench.wanted import RatioAtMost, ValueAtMost


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One horizontal bar."""

    label: str
    value: float
    shown: str
    """The value as people read it."""
    low: float
    high: float
    ours: bool
    """Whether it is of this program."""
    most: float | None = None
    """Where it should end, if that is wanted of it."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Bars of one unit."""

    title: str
    axis: str
    bars: Sequence[Bar]


@dataclass(frozen=True, kw_only=True)
class Growth:
    """How the previews grow with the number of applications."""

    numbers: Sequence[int]
    seconds: Sequence[Series]


def panels(rows: Sequence[Row]) -> list[Panel]:
    """Returns the panels that have something to show, from the ratios on."""
    made = [
        Panel(title="Beside a peer: ratio of the medians", axis="ratio", bars=_ratios(rows)),
        _panel("Seconds", rows, lambda it: it.unit is Unit.SECONDS and not _is_line(it)),
        _panel("Requests a second", rows, lambda it: it.unit is Unit.PER_SECOND),
        _panel("Requests that failed during rollouts", rows, lambda it: it.unit is Unit.FAILED),
        _panel("Memory", rows, lambda it: it.unit is Unit.MEBIBYTES),
    ]
    return [it for it in made if it.bars]


def growth(rows: Sequence[Row]) -> Growth | None:
    """Returns the previews by their number of applications; None: they were not measured."""
    row = next(filter(_is_line, rows), None)
    if row is None:
        return None
    found = [row.series[previews.series_name(number)] for number in previews.NUMBERS]
    return Growth(numbers=previews.NUMBERS, seconds=found)


def _ratios(rows: Sequence[Row]) -> list[Bar]:
    return [
        Bar(
            label=row.what,
            value=row.ratio,
            shown=f"{row.ratio:.2f}",
            low=row.ratio,
            high=row.ratio,
            ours=True,
            most=row.wanted.number,
        )
        for row in rows
        if row.ratio is not None and isinstance(row.wanted, RatioAtMost)
    ]


def _is_line(row: Row) -> bool:
    """Returns whether it is what the line shows."""
    return previews.series_name(previews.NUMBERS[0]) in row.series


def _panel(title: str, rows: Sequence[Row], shown: Callable[[Row], bool]) -> Panel:
    chosen = [row for row in rows if shown(row)]
    bars = [
        Bar(
            label=f"{row.what}\n{name}" if name == row.ours else name,
            value=row.of(name),
            shown=number(row.of(name), row.unit),
            low=series.spread[0],
            high=series.spread[1],
            ours=name == row.ours,
            most=row.wanted.number
            if name == row.ours and isinstance(row.wanted, ValueAtMost) and row.wanted.number
            else None,
        )
        for row in chosen
        for name, series in row.series.items()
    ]
    return Panel(title=title, axis=chosen[0].unit.value if chosen else "", bars=bars)
