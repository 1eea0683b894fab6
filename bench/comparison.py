"""What got worse since the run that is recorded."""

from collections.abc import Sequence

from bench.row import Row, Unit

TOLERANCE = 1.25
"""By what factor a ratio may be worse. Peers take turns, so that what slows the machine slows both;
what is left are single runs that were disturbed, such as one peer's 11 and 15 s in the recorded
run. The quarter is a choice, no bound that was measured: less would call noise worse."""


def worse(now: Sequence[Row], before: Sequence[Row]) -> list[str]:
    """Returns a sentence for each row that got worse.

    Ratios are compared, since another machine, or another hour, has other seconds. What failed is
    counted, and compared as it is. Rows that are in one of the two runs alone say nothing.
    """
    recorded = {row.what: row for row in before}
    found = ((row, recorded[row.what]) for row in now if row.what in recorded)
    return [sentence for new, old in found if (sentence := _worse(new, old))]


def _worse(new: Row, old: Row) -> str | None:
    if new.unit is Unit.FAILED:
        more = new.value > old.value
        return f"{new.what}: {old.value:g} before, {new.value:g} now" if more else None
    if new.ratio is None or old.ratio is None:
        return None
    factor = old.ratio / new.ratio if new.unit.more_is_better else new.ratio / old.ratio
    if factor <= TOLERANCE:
        return None
    return f"{new.what}: ratio {old.ratio:.2f} before, {new.ratio:.2f} now"
