"""Rows to measure nothing with."""

from bench.row import Row, Unit
from bench.series import Series
from bench.wanted import RatioAtMost, Wanted


def row(
    ours: tuple[float, ...],
    peer: tuple[float, ...] | None = None,
    *,
    what: str = "nothing changed",
    unit: Unit = Unit.SECONDS,
    wanted: Wanted | None = None,
) -> Row:
    """Returns a row of this program, beside a peer if that has runs."""
    series = {"pulumi up": Series(runs=ours)}
    if peer:
        series["kubectl apply -k"] = Series(runs=peer)
    return Row(
        what=what,
        unit=unit,
        ours="pulumi up",
        peer="kubectl apply -k" if peer else None,
        series=series,
        wanted=wanted or (RatioAtMost(number=1.8) if peer else None),
    )
