"""`backup`, `backups` and `restore-drill`."""

import time
from contextlib import suppress
from typing import Annotated, assert_never

import typer
from rich.text import Text

from cluster_objects.json_tree import Json
from console.duration import age, duration
from console.failure import ExitCode, Failure
from ops import backup_steps, database, scripts, servers
from ops.commands import cnpg_backups
from ops.commands.options import AsJson, DumpName, require_values
from ops.context import Target, target
from ops.contract import Backup, InClusterDatabase, OperatorDatabase
from ops.database import literal
from ops.database_names import Derived, Purpose, derived
from ops.database_swap import own
from ops.dumps import Comparison, Dump, Report, State, compare, read
from ops.jobs import JobFailed, backup_cron_job, drill_cron_job, run_job
from ops.terminal import print_json, progress, say, size, table
from ops.verdicts import note_drill

NO_BACKUP = "There is no backup yet; make one: python -m ops backup"
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
    if isinstance(to.stack.contract.database, OperatorDatabase):
        cnpg_backups.backup(to)
        return
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
    if isinstance(to.stack.contract.database, OperatorDatabase):
        cnpg_backups.backups(to, json=json)
        return
    cron_job = backup_cron_job(to.stack, to.cluster)
    report = read_backups(to, cron_job)
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
        say(NO_BACKUP)
    suspended = " (suspended)" if cron_job["spec"].get("suspend") else ""
    room = "" if report.free is None else f"; {size(report.free)} free"
    store = backups_of(to).store
    where = f"; in {store.address}" if store else room
    say(f"schedule {cron_job['spec']['schedule']} UTC{suspended}{where}")


def backups_of(to: Target) -> Backup:
    """Returns where the backups of a stack are.

    Raises:
        Failure: It makes none.
    """
    backup = to.stack.contract.required_server().backup
    if not isinstance(backup, Backup):
        raise Failure("This stack's backups are no files.", ExitCode.USAGE)
    return backup


def read_backups(to: Target, cron_job: Json) -> Report:
    """Returns what is on the backup volume, or in the object store."""
    backup = backups_of(to)
    with progress("Reading the object store" if backup.store else "Reading the backup volume"):
        done = run_job(to.cluster, cron_job, "list", backup_steps.listing(backup))
    return read(done.lines, backup.store.owner if backup.store else None)


def restore_drill(
    context: typer.Context,
    dump: DumpName = None,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Back up first, in one snapshot: all must be identical."),
    ] = False,
    scheduled: Annotated[
        bool,
        typer.Option("--scheduled", help="As the stack's schedule does, away from the server."),
    ] = False,
    json: AsJson = False,
) -> None:
    """Restore a backup into a scratch database, compare it with the live one, and drop it.

    Where an operator archives the database, a second Cluster is recovered, read and removed: what
    was written meanwhile is shown, also with --fresh. Elsewhere, without
    --fresh the live database may have changed since the backup: such tables are shown, and are no
    failure. The application is not touched. How it ended is noted on the CronJob of the backups
    (an operator's: of the drills, where they have a schedule), for alerts, unless it could not
    begin.
    """
    require_values({"--dump": dump})
    if fresh and dump:
        raise Failure("--fresh and --dump name two backups; choose one.", ExitCode.USAGE)
    to = target(context)
    if scheduled:
        if dump or fresh or json:
            raise Failure("--scheduled goes with no other option.", ExitCode.USAGE)
        scheduled_drill(to)
        return
    if isinstance(to.stack.contract.database, OperatorDatabase):
        if dump:
            raise Failure("--dump is for backups that are files; leave it out.", ExitCode.USAGE)
        cnpg_backups.restore_drill(to, fresh=fresh, json=json)
        return
    cron_job = backup_cron_job(to.stack, to.cluster)
    scratch = derived(to.stack.contract.database.name, Purpose.RESTORE_DRILL)
    own(to, scratch)
    room_for_copy(to, scratch)
    environment = {"SCRATCH": scratch.name, "MARK": scratch.mark}
    if fresh:
        steps = backup_steps.fresh_drill(backups_of(to), cron_job, environment)
    else:
        steps = backup_steps.loading(backups_of(to), scripts.DRILL, environment, dump or "")
    try:
        with progress("Restoring into a scratch database"):
            done = run_job(to.cluster, cron_job, "drill", steps)
    except JobFailed as failed:
        _note_failed(to, cron_job["metadata"]["name"], failed)
        raise
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
    note_drill(to.cluster, cron_job["metadata"]["name"], good=good)
    if not good:
        raise typer.Exit(int(ExitCode.FAILED))


def scheduled_drill(to: Target) -> None:
    """Runs the drill of the stack's schedule now; its success counts as one of the schedule.

    Args:
        to: The stack.

    Raises:
        Failure: There is no schedule.
        JobFailed: The newest backup cannot be restored, or there is none; says why.
    """
    cron_job = drill_cron_job(to.stack, to.cluster)
    noted = _noted_on(to, cron_job)
    try:
        with progress("Restoring the newest backup on a server of the drill's own"):
            done = run_job(to.cluster, cron_job, "manual")
    except JobFailed as failed:
        _note_failed(to, noted, failed)
        raise
    note_drill(to.cluster, noted, good=True)
    for line in done.lines:
        say(line)
    say(f"RESTORABLE: done in {duration(done.seconds)}", "bold green")


def _noted_on(to: Target, drill: Json) -> str:
    """Returns the CronJob that remembers how a drill ended: the drill's, or that of the backups.

    Drills by hand are remembered too where the backups are files, with a schedule or without one.
    """
    match server := to.stack.contract.required_server():
        case InClusterDatabase():
            return str(backup_cron_job(to.stack, to.cluster)["metadata"]["name"])
        case OperatorDatabase():
            return str(drill["metadata"]["name"])
        case _:
            assert_never(server)


def _note_failed(to: Target, cron_job: str, failed: JobFailed) -> None:
    if not read(failed.lines).refused:
        # Why it failed is worth more than that it could not be noted.
        with suppress(Failure):
            note_drill(to.cluster, cron_job, good=False)


def room_for_copy(to: Target, copy: Derived, octets: int = 0) -> None:
    """Checks that another copy of the database fits on the data volume, next to all that is there.

    The database that the last restore kept is there too: it goes only when the next one is in
    place.

    Args:
        to: The stack.
        copy: What the copy will be called; one that was left over is dropped first.
        octets: What is copied takes so many, where that may be more than the live database.

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
    needed = int(max(live, octets) * 1.3) + 64 * 1024**2
    _, free = database.disk(to.cluster, servers.primary(to.stack, to.cluster))
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
