"""`backup`, `backups` and `restore-drill` where an operator archives the database."""

import time
from contextlib import suppress
from datetime import UTC, datetime

import typer

from console.duration import age, duration, seconds_since
from console.failure import ExitCode, Failure
from ops.cnpg.archive import (
    archive,
    archived_database,
    back_up,
    base_backups,
    close_segment,
    since_archived,
)
from ops.cnpg.recovery import Recovery, Unrecoverable
from ops.context import Target, with_stack
from ops.copying.comparison import compare_servers
from ops.database_copy import server_of
from ops.dumps import Comparison
from ops.moments import written
from ops.terminal import print_json, progress, say, table
from ops.verdicts import note_drill


def backup(to: Target) -> None:
    """Makes a base backup now, and brings what was written since into the object store too.

    Raises:
        Failure: It failed.
    """
    found = archived_database(to.stack, "A backup")
    begin = time.monotonic()
    with progress("Backing up"):
        done = back_up(to.cluster, found.cluster)
        close_segment(to.stack, to.cluster)
    say(f"{done.name}, and the log until {written(datetime.now(UTC))}")
    say(f"done in {duration(time.monotonic() - begin)}", "green")


def backups(to: Target, *, json: bool) -> None:
    """Lists the base backups, newest first, and from when on any moment can be recovered."""
    found = archived_database(to.stack, "A backup")
    made = base_backups(to.cluster, found.cluster)
    state = archive(to.cluster.get("Cluster", found.cluster))
    seconds = since_archived(to.stack, to.cluster)
    if json:
        listed = [{"name": it.name, "state": it.state, "ended": it.ended} for it in made]
        first = written(state.first) if state.first else None
        print_json({"backups": listed, "first": first, "secondsSinceArchived": seconds})
        return
    rows = [
        [it.name, f"{age(seconds_since(it.ended))} ago" if it.ended else "—", it.error or it.state]
        for it in made
    ]
    table(["BASE BACKUP", "ENDED", "STATE"], rows)
    if state.first:
        say(f"any moment since {written(state.first)}: python -m ops restore --to TIME")
    else:
        say("There is no base backup yet; make one: python -m ops backup")
    archived = f"{age(seconds)} ago" if seconds is not None else "never"
    say(f"log archived {archived}" + ("" if state.works else f"; NOT NOW: {state.reason}"))


def restore_drill(to: Target, *, fresh: bool, json: bool) -> None:
    """Recovers a second Cluster from the object store, compares its database, and removes it.

    Args:
        to: The stack.
        fresh: Whether a base backup is made first.
        json: Whether the verdict is JSON.

    Raises:
        Failure: It cannot be recovered.
        typer.Exit: Nothing was in it.
    """
    found = archived_database(to.stack, "A restore drill")
    begin = time.monotonic()
    with progress("Bringing the newest writes into the object store"):
        if fresh:
            back_up(to.cluster, found.cluster)
        close_segment(to.stack, to.cluster)
    recovery = Recovery(to.cluster, found, None)
    try:
        with progress("Recovering a second Cluster"):
            other = recovery.recover()
        recovered = time.monotonic() - begin
        with progress("Comparing it with the live database"):
            copied = with_stack(to, to.stack.with_database(other))
            tables = compare_servers(server_of(to), server_of(copied), {found.name: found.name})
        recovery.require_own()
    except Unrecoverable:
        # Why is worth more than that it could not be noted.
        with suppress(Failure):
            _note(to, good=False)
        raise
    finally:
        with progress("Removing the second Cluster"):
            recovery.remove()
    _verdict(tables, recovered, time.monotonic() - begin, json=json)
    good = any(it.restored for it in tables)
    _note(to, good=good)
    if not good:
        raise typer.Exit(int(ExitCode.FAILED))


def _note(to: Target, *, good: bool) -> None:
    if drill := to.stack.contract.drill:
        note_drill(to.cluster, drill.cron_job, good=good)


def _verdict(tables: list[Comparison], recovered: float, seconds: float, *, json: bool) -> None:
    there = [it.restored for it in tables if it.restored]
    if json:
        print_json(
            {
                "good": bool(there),
                "restoreSeconds": round(recovered, 1),
                "totalSeconds": round(seconds, 1),
                "tables": {it.table: it.verdict for it in tables},
            }
        )
        return
    table(["TABLE", "CHECKSUM"], [[it.table, it.verdict] for it in tables])
    times = f"recovery {duration(recovered)}, drill {duration(seconds)}"
    changed = sum(not it.same for it in tables)
    if not there:
        say(f"NOT RESTORABLE: what was recovered has no table ({times})", "bold red")
    elif changed:
        say(f"RESTORABLE: {len(there)} tables; {changed} changed since ({times})", "bold green")
    else:
        say(f"RESTORABLE: {len(there)} tables, all identical ({times})", "bold green")
