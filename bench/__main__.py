"""Measures, and writes docs/performance.md; with --check compares with what is written there.

A deployed stack is needed, whose cluster and images are used; nothing of it is changed.
"""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import assert_never

from bench import page, recorded, restores
from bench.commit import commit
from bench.comparison import worse
from bench.machine import machine
from bench.recorded import Recorded
from bench.row import LeftOut, Result, Row
from bench.stack import BenchStack, bench_stack
from bench.subjects import SUBJECTS, Subject, chosen
from bench.table import table
from console.duration import duration

PAGE, NUMBERS = Path("docs/performance.md"), Path("docs/performance.json")
_PLOT = "images/performance.svg"
"""Seen from the page."""


def main() -> None:
    """Measures; ends with 1 if a check found something worse."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--stack", default="minikube", help="the deployed stack")
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    parser.add_argument("--rows", default="", help="only these, with commas between them")
    parser.add_argument("--runs", type=int, help="so many of each, instead of each row's own")
    given = parser.parse_args()
    subjects = chosen(given.rows)
    restores.megabytes_wanted()  # a person's mistake is told before anything is measured
    before = recorded.read(NUMBERS) if given.check else None
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    run = _measure(given.stack, subjects, given.runs)
    failed = [f"{it.what}: {it.why}" for it in run.left_out if it.failed]
    print(table(run.rows))
    print(page.left_out(run.left_out))
    if before:
        found = worse(run.rows, before.rows)
        print("\n".join([*found, *failed]) or f"Nothing is worse than {NUMBERS} says.")
        sys.exit(1 if found or failed else 0)
    if len(subjects) < len(SUBJECTS):
        print("These are not all rows, so nothing is written.")
        sys.exit(1 if failed else 0)
    from bench import plot  # only here, since the tests' environment has nothing that draws

    recorded.write(run, NUMBERS)
    plot.draw(run.rows, PAGE.parent / _PLOT)
    page.write(run, PAGE, numbers=NUMBERS.name, plot=_PLOT)
    print(f"Written: {PAGE}, {NUMBERS}, {PAGE.parent / _PLOT}.")
    if failed:
        sys.exit(f"Not measured, see above: {'; '.join(failed)}.")


def _measure(stack_name: str, subjects: Sequence[Subject], runs: int | None) -> Recorded:
    rows: list[Row] = []
    left_out: list[LeftOut] = []
    measured = commit()
    with bench_stack(stack_name) as stack:
        for subject in subjects:
            begin = time.monotonic()
            print(f"▸ {subject.name}", file=sys.stderr, flush=True)
            for result in _results(subject, stack, runs or subject.runs):
                match result:
                    case Row():
                        rows.append(result)
                    case LeftOut():
                        left_out.append(result)
                    case _:
                        assert_never(result)
            print(f"  {duration(time.monotonic() - begin)}", file=sys.stderr, flush=True)
    return Recorded(
        date=datetime.now(UTC).date().isoformat(),
        commit=measured,
        machine=machine(),
        rows=rows,
        left_out=left_out,
    )


def _results(subject: Subject, stack: BenchStack, runs: int) -> Sequence[Result]:
    """Measures; rows that fail are left out, since others may still be had."""
    try:
        return subject.measure(stack, runs)
    except SystemExit as failure:
        if isinstance(failure.code, int):
            raise  # interrupted
        print(failure.code, file=sys.stderr, flush=True)
        # Not in words of other programs, which may name this machine.
        return [LeftOut(what=subject.name, why="a command of it failed", failed=True)]


def _interrupt(number: int, frame: object) -> None:
    """Ends the run once; what it made is removed, whatever arrives meanwhile."""
    del frame
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    print("Interrupted; what was made is being removed.", file=sys.stderr, flush=True)
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
