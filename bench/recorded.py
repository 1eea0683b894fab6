"""The run that is recorded beside docs/performance.md, as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.row import LeftOut, Row, Unit
from bench.series import Series
from bench.wanted import RatioAtMost, ValueAtLeast, ValueAtMost, Wanted

_KINDS = {"ratioAtMost": RatioAtMost, "atMost": ValueAtMost, "atLeast": ValueAtLeast}


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One run, with where and when."""

    date: str
    """As 2026-01-31."""
    commit: str
    machine: str
    rows: Sequence[Row]
    left_out: Sequence[LeftOut]


def write(run: Recorded, file: Path) -> None:
    """Writes a run; what each row comes to is in it for readers, and is not read again."""
    tree = {
        "date": run.date,
        "commit": run.commit,
        "machine": run.machine,
        "rows": [_row(row) for row in run.rows],
        "leftOut": [asdict(it) for it in run.left_out],
    }
    file.write_text(json.dumps(tree, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(file: Path) -> Recorded:
    """Reads a run.

    Raises:
        SystemExit: There is none, or it is of another version.
    """
    try:
        tree = json.loads(file.read_text(encoding="utf-8"))
        return Recorded(
            date=tree["date"],
            commit=tree["commit"],
            machine=tree["machine"],
            rows=[_read_row(it) for it in tree["rows"]],
            left_out=[LeftOut(**it) for it in tree["leftOut"]],
        )
    except FileNotFoundError:
        raise SystemExit(
            f"{file} is not there to compare with; run `make bench` first, which writes it."
        ) from None
    except (KeyError, TypeError, ValueError):
        raise SystemExit(
            f"{file} was not written by this version; run `make bench`, which writes it anew."
        ) from None


def _row(row: Row) -> dict[str, Any]:
    return {
        "what": row.what,
        "unit": row.unit.value,
        "ours": row.ours,
        "peer": row.peer,
        "median": _short(row.value),
        "ratio": None if row.ratio is None else _short(row.ratio),
        "wanted": row.wanted and _wanted(row.wanted),
        "met": row.met,
        "series": {name: [_short(it) for it in found.runs] for name, found in row.series.items()},
        "note": row.note,
        "proven": row.proven,
    }


def _read_row(tree: dict[str, Any]) -> Row:
    wanted: dict[str, float] | None = tree["wanted"]
    return Row(
        what=tree["what"],
        unit=Unit(tree["unit"]),
        ours=tree["ours"],
        peer=tree["peer"],
        series={name: Series(runs=tuple(runs)) for name, runs in tree["series"].items()},
        wanted=None if wanted is None else _read_wanted(wanted),
        note=tree["note"],
        proven=tree["proven"],
    )


def _wanted(wanted: Wanted) -> dict[str, float]:
    name = next(name for name, kind in _KINDS.items() if kind is type(wanted))
    return {name: wanted.number}


def _read_wanted(tree: dict[str, float]) -> Wanted:
    [(name, number)] = tree.items()
    return _KINDS[name](number=number)


def _short(number: float) -> float:
    """Returns a number with four digits, and more only before the decimal point."""
    return round(number, 3) if number < 10 else round(number, 1)
