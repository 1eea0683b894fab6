"""A backup put in the place of the live database."""

import os
import re
from collections.abc import Sequence

from bench.manifests import wait_ready
from bench.row import Result, Row, Unit
from bench.series import Series
from bench.stack import BenchStack
from bench.timing import seconds

_MEGABYTES = "BENCH_RESTORE_MB"
_USUAL_MEGABYTES = "1024"
_MOST_MEGABYTES = 1536
"""Of which two, what the server keeps beside them, and a dump fit on the stack's volumes."""
_COLUMNS = 8
"""Of 32 hexadecimal digits each, which compress no better than people's data."""
_ROW_BYTES = 308
"""Of a table with such rows, each with a number in front, as PostgreSQL 17 stores them."""
_STOPPED = re.compile(r"the backend was stopped for (?:(\d+) min )?([\d.]+) s")


def measure(stack: BenchStack, runs: int) -> Sequence[Result]:
    """Fills the database, backs it up once, and measures how long it takes to restore that."""
    wanted = megabytes_wanted()
    stack.up()
    wait_ready(stack.namespace)
    stack.ops("shell-db", "-c", _fill(wanted))
    size = stack.ops("shell-db", "-c", "SELECT pg_database_size(current_database())")
    megabytes = int(size) / 1000**2
    backup = seconds(lambda: stack.ops("backup"))
    stopped: list[float] = []

    def restore() -> None:
        stopped.append(seconds_stopped(stack.ops("restore", "--yes", "--drop-old")))

    restored = Series(runs=tuple(seconds(restore) for _ in range(runs)))
    return [
        Row(
            what=f"restore of a database of {megabytes:,.0f} MB",
            unit=Unit.SECONDS,
            ours="ops restore",
            peer=None,
            series={
                "ops restore": restored,
                "of it, the backend is stopped": Series(runs=tuple(stopped)),
                "ops backup": Series(runs=(backup,)),
            },
            note=f"{megabytes / restored.median:.0f} MB/s, the sums over all rows included",
        )
    ]


def megabytes_wanted() -> int:
    """Returns how large the database is to be, in MiB.

    Raises:
        SystemExit: A person wants what is no size.
    """
    text = os.environ.get(_MEGABYTES, _USUAL_MEGABYTES)
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_MEGABYTES:
        raise SystemExit(
            f"{_MEGABYTES} is {text!r}; set it to a number of MiB from 1 to {_MOST_MEGABYTES}."
        )
    return int(text)


def seconds_stopped(printed: str) -> float:
    """Returns for how long a restore says that the backend was stopped.

    Raises:
        SystemExit: It does not say so.
    """
    found = _STOPPED.search(printed)
    if found is None:
        raise SystemExit(f"`ops restore` did not say how long the backend was stopped: {printed}")
    return 60 * float(found[1] or 0) + float(found[2])


def _fill(megabytes: int) -> str:
    """Returns SQL that makes a table of a size."""
    columns = [f"md5((n * {_COLUMNS} + {it})::text) AS c{it}" for it in range(_COLUMNS)]
    rows = f"generate_series(1, {megabytes * 1024**2 // _ROW_BYTES}) AS n"
    return f"CREATE TABLE filler AS SELECT n, {', '.join(columns)} FROM {rows}"  # noqa: S608
