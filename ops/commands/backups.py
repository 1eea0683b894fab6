"""`backup`, `backups` and `restore-drill`."""

import time
from typing import Annotated

import typer
from rich.text import Text

from ops import database, scripts
from ops.context import Target, target
from ops.dumps import Comparison, Dump, Report, compare, read
from ops.failure import ExitCode, Failure
from ops.jobs import backup_cron_job, run_job
from ops.terminal import age, duration, print_json, progress, say, size, table

Name = Annotated[str, typer.Option("--dump", help="Name of a backup; default: the newest.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(backup)
    app.command()(backups)
    app.command()(restore_drill)


def backup(context: typer.Context) -> None:
    """Back up now, exactly as the schedule does."""
    to = target(context)
    cron_job = backup_cron_job(to.stack, to.cluster)
    database.server(to.stack, to.cluster)
    with progress("Backing up"):
        done = run_job(to.cluster, cron_job, "manual")
    for line in done.lines:
        say(line)
    say(f"done in {duration(done.seconds)}", "green")


def backups(context: typer.Context, json: AsJson = False) -> None:  # noqa: FBT002
    """List the backups, newest first."""
    to = target(context)
    cron_job = backup_cron_job(to.stack, to.cluster)
    with progress("Reading the backup volume"):
        report = read(run_job(to.cluster, cron_job, "list", scripts.LIST).lines)
    if json:
        print_json(
            [{"name": d.name, "bytes": d.octets, "written": d.written} for d in report.dumps]
        )
        return
    rows = [[d.name, size(d.octets), f"{age(time.time() - d.written)} ago"] for d in report.dumps]
    table(["BACKUP", "SIZE", "WRITTEN"], rows)
    if not rows:
        say("There is no backup yet; make one: python -m ops backup")
    say(f"schedule {cron_job['spec']['schedule']} UTC; {size(report.free or 0)} free")


def restore_drill(
    context: typer.Context,
    dump: Name = "",
    fresh: Annotated[  # noqa: FBT002
        bool,
        typer.Option("--fresh", help="Back up first, in one snapshot: all must be identical."),
    ] = False,
    json: AsJson = False,  # noqa: FBT002
) -> None:
    """Restore a backup into a scratch database, compare it with the live one, and drop it.

    Without --fresh the live database may have changed since the backup: such tables are shown, and
    are no failure. The application is not touched.
    """
    to = target(context)
    cron_job = backup_cron_job(to.stack, to.cluster)
    room_for_copy(to)
    environment = {"SCRATCH": f"{to.stack.database.name}_restore_drill"}
    if dump:
        environment["DUMP"] = dump
    script = scripts.FRESH_DRILL if fresh else scripts.DRILL
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
                "tables": {t.table: t.verdict for t in tables},
            }
        )
    else:
        _show(report, tables)
        _verdict(report, tables, done.seconds, good=good)
    if not good:
        raise typer.Exit(int(ExitCode.FAILED))


def room_for_copy(to: Target) -> None:
    """Checks that a second copy of the database fits on the data volume.

    Raises:
        Failure: It does not.
    """
    database.server(to.stack, to.cluster)
    text = database.sql(to.stack, to.cluster, "SELECT pg_database_size(current_database());")
    needed = int(int(text) * 1.3) + 64 * 1024**2
    _, free = database.disk(to.stack, to.cluster)
    if free < needed:
        raise Failure(
            f"The data volume has {size(free)} free, but a second copy of the database needs "
            f"{size(needed)}; enlarge it first (docs/operations.md)."
        )


def show_dump(dump: Dump) -> str:
    """Returns a backup in words."""
    return f"{dump.name} ({size(dump.octets)}, {age(time.time() - dump.written)} old)"


def _show(report: Report, tables: list[Comparison]) -> None:
    if report.dumps:
        say(f"restored {show_dump(report.dumps[0])}")
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
