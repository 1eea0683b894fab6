"""Measures, and writes docs/performance.md; with --check compares with what is written.

A deployed stack is needed, whose cluster and images are used; nothing of it is changed.
"""

import argparse
import json
import os
import platform
import sys

from bench import deployments, previews
from bench.row import Row
from bench.stack import bench_stack
from bench.table import NUMBERS, table, write
from bench.timing import command

_WORSE = 1.25
"""How much larger a ratio may be than the written one before it is called worse."""


def main() -> None:
    """Measures; ends with 1 if a check found something worse."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--stack", default="minikube", help="the deployed stack")
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    given = parser.parse_args()
    if given.check and not NUMBERS.exists():
        parser.error(f"{NUMBERS} is not there to compare with; run `make bench` first")
    rows = previews.rows()
    with bench_stack(given.stack) as stack:
        rows += deployments.rows(stack)
    print(table(rows))
    if given.check:
        sys.exit(_worse(rows))
    commit = command("git", "rev-parse", "--short", "HEAD").strip()
    write(rows, f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}", commit)


def _worse(rows: list[Row]) -> int:
    before = json.loads(NUMBERS.read_text(encoding="utf-8"))["rows"]
    worse = [
        f"{row.what}: {before[row.what]['ratio']} before, {row.ratio:.2f} now"
        for row in rows
        if row.ratio and row.what in before and row.ratio > before[row.what]["ratio"] * _WORSE
    ]
    print("\n".join(worse) or "nothing is worse than docs/performance.json says")
    return 1 if worse else 0


if __name__ == "__main__":
    main()
