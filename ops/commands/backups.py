"""`backup`, `backups` and `restore-drill`."""

import time
from typing import Annotated

import typer
from rich.text import Text

from console.duration import duration
from console.failure import ExitCode, Failure
from ops import database, scripts
from ops.commands.options import AsJson
from ops.context import Target, target
from ops.database import literal
from ops.database_names import Derived, Purpose, derived
from ops.database_swap import own
from ops.dumps import Comparison, Dump, Report, State, compare, read
from ops.jobs import backup_cron_job, run_job, script_of
from ops.terminal import age, print_json, progress, say, size, table

Name = Annotated[str, typer.Option("--dump", help="Name of a backup; default: the newest.")]
_STATES: dict[State, str] = {
    "complete": "complete",
    "unreadable": "UNREADABLE: pg_restore cannot read it",
    "running": "being written",
    "unfinished": "unfinished, removed by the next backup",
    "other": "not a backup of this database, left alone",
}


def backup(context: typer.Context) -> None:
    """Back up now, exactly as the schedule does."""
    to = target(context)
    cron_job = backup_cron_job(to.stack, to.cluster)
    database.require_ready(to.stack, to.cluster)
    with progress("Backing up"):
        done = run_job(to.cluster, cron_job, "manual")
    for line in done.lines:
        say(line)
    say(f"done in {duration(done.seconds)}", "green")


def backups(context: typer.Context, json: AsJson = False) -> None:
    """List the backups, newest first."""
    to = target(context)
    cron_job = backup_cron_job(to.stack, to.cluster)
    with progress("Reading the backup volume"):
        report = read(run_job(to.cluster, cron_job, "list", scripts.LIST).lines)
    files = [*report.dumps, *report.rest]
    if json:
        print_json(
            [
                {"name": d.name, "bytes": d.octets, "written": d.written, "state": d.state}
                for d in files
            ]
        )
        return
    rows = [
        [d.name, size(d.octets), f"{age(time.time() - d.written)} ago", _STATES[d.state]]
        for d in files
    ]
    table(["BACKUP", "SIZE", "WRITTEN", "STATE"], rows)
    if not report.dumps:
        say("There is no backup yet; make one: python -m ops backup")
    suspended = " (suspended)" if cron_job["spec"].get("suspend") else ""
    say(f"schedule {cron_job['spec']['schedule']} UTC{suspended}; {size(report.free or 0)} free")


def restore_drill(
    context: typer.Context,
    dump: Name = "",
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Back up first, in one snapshot: all must be identical."),
    ] = False,
    json: AsJson = False,
) -> None:
    """Restore a backup into a scratch database, compare it with the live one, and drop it.

    Without --fresh the live database may have changed since the backup: such tables are shown, and
    are no failure. The application is not touched.
    """
    to = target(context)
    cron_job = backup_cron_job(to.stack, to.cluster)
    scratch = derived(to.stack.contract.database.name, Purpose.RESTORE_DRILL)
    own(to, scratch)
    room_for_copy(to, scratch)
    environment = {"SCRATCH": scratch.name, "MARK": scratch.mark}
    script = scripts.FRESH_DRILL if fresh else scripts.DRILL
    if fresh:
        environment["BACKUP"] = script_of(cron_job)
    elif dump:
        environment["DUMP"] = dump
    with progress("Restoring into a scratch database"):
        done = run_job(to.cluster, cron_job, "drill", script, environment)
    report = read(done.lines)
    tables = compare(report)
    good = bool(report.restored) and (not fresh or all(t.same for t in tables))
    if json:
        print_json(
            {
                "good": good,
                "dump": report.dumps[0].name,
                "restoreSeconds": report.seconds,
                "totalSeconds": round(done.seconds, 1),
                "notRestored": report.left,
                "tables": {t.table: t.verdict for t in tables},
            }
        )
    else:
        _show(report, tables)
        _verdict(report, tables, done.seconds, good=good)
    if not good:
        raise typer.Exit(int(ExitCode.FAILED))


def room_for_copy(to: Target, copy: Derived) -> None:
    """Checks that another copy of the database fits on the data volume, next to all that is there.

    The database that the last restore kept is there too: it goes only when the next one is in
    place.

    Args:
        to: The stack.
        copy: What the copy will be called; one that was left over is dropped first.

    Raises:
        Failure: It does not fit.
    """
    database.require_ready(to.stack, to.cluster)
    kept = derived(to.stack.contract.database.name, Purpose.BEFORE_RESTORE).name
    query = "SELECT coalesce(sum(pg_database_size(oid)), 0) FROM pg_database WHERE datname::text = "
    names = (to.stack.contract.database.name, copy.name, kept)
    statements = "".join(f"{query}{literal(name)};\n" for name in names)
    text = database.sql(to.stack, to.cluster, statements, database="postgres", superuser=True)
    live, left_over, former = map(int, text.split())
    needed = int(live * 1.3) + 64 * 1024**2
    _, free = database.disk(to.stack, to.cluster)
    if free + left_over < needed:
        way_out = f", or drop {kept} ({size(former)}), kept by the last restore" if former else ""
        raise Failure(
            f"The data volume has {size(free)} free, but another copy of the database needs "
            f"{size(needed)}; enlarge it first (docs/operations.md, Enlarge a volume){way_out}."
        )


def show_dump(dump: Dump) -> str:
    """Returns a backup in words."""
    return f"{dump.name} ({size(dump.octets)}, {age(time.time() - dump.written)} old)"


def show_left(report: Report) -> None:
    """Says what a backup has beside its data and could not be restored."""
    for reason in report.left:
        say(f"not restored: {reason}", "yellow")


def _show(report: Report, tables: list[Comparison]) -> None:
    if report.dumps:
        say(f"restored {show_dump(report.dumps[0])}")
    show_left(report)
    table(
        ["TABLE", "ROWS LIVE", "ROWS RESTORED", "CHECKSUM"],
        [
            [
                t.table,
                str(t.live.rows) if t.live else "—",
                str(t.restored.rows) if t.restored else "—",
                Text(t.verdict, style="green" if t.same else "yellow"),
            ]
            for t in tables
        ],
    )


def _verdict(report: Report, tables: list[Comparison], seconds: float, *, good: bool) -> None:
    changed = sum(not t.same for t in tables)
    times = f"restore {duration(report.seconds or 0)}, drill {duration(seconds)}"
    rows = f"{len(report.restored)} tables, {report.rows} rows"
    if not report.restored:
        say(f"NOT RESTORABLE: the backup has no table ({times})", "bold red")
    elif not good:
        say(f"NOT RESTORABLE: {changed} tables differ from the snapshot ({times})", "bold red")
    elif changed:
        say(f"RESTORABLE: {rows}; {changed} changed since the backup ({times})", "bold green")
    else:
        say(f"RESTORABLE: {rows}, all identical ({times})", "bold green")
