"""`restore`: put a backup in the place of the live database."""

import time
from typing import Annotated

import typer

from ops import database, scripts
from ops.commands.backups import room_for_copy, show_dump
from ops.context import Target, target
from ops.dumps import read
from ops.failure import ExitCode, Failure
from ops.jobs import backup_cron_job, run_job
from ops.terminal import confirm, duration, progress, say
from ops.writers import Writers


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(restore)


def restore(
    context: typer.Context,
    dump: Annotated[
        str, typer.Option("--dump", help="Name of a backup; default: the newest.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,  # noqa: FBT002
    undo: Annotated[  # noqa: FBT002
        bool, typer.Option("--undo", help="Swap back to the database as it was before.")
    ] = False,
    resume: Annotated[  # noqa: FBT002
        bool, typer.Option("--resume", help="Only start what a cut-off restore stopped.")
    ] = False,
    drop_old: Annotated[  # noqa: FBT002
        bool, typer.Option("--drop-old", help="Do not keep the database as it was before.")
    ] = False,
) -> None:
    """Replace the live database by a backup.

    The backup is loaded next to the live database first, while the application runs; only then are
    the writers stopped, the two databases swapped in one transaction, and the writers started. The
    old one stays until the next restore, so that --undo can swap back.
    """
    to = target(context)
    writers = Writers(to.stack, to.cluster)
    if resume:
        with progress("Starting the backend"):
            writers.start()
        say("The backend runs.", "green")
        return
    database.server(to.stack, to.cluster)
    name = to.stack.database.name
    if undo:
        if not exists(to, f"{name}_before_restore"):
            raise Failure("There is nothing to undo: no earlier database is kept.", ExitCode.USAGE)
        confirm(f"Put {name} back as it was before the last restore?", assume_yes=yes)
        _swap_without_writers(to, writers, f"{name}_before_restore", drop_old=False)
        return
    cron_job = backup_cron_job(to.stack, to.cluster)
    if not dump:
        with progress("Reading the backup volume"):
            known = read(run_job(to.cluster, cron_job, "list", scripts.LIST).lines).dumps
        if not known:
            raise Failure("There is no backup yet; make one: python -m ops backup", ExitCode.USAGE)
        dump = known[0].name
        shown = show_dump(known[0])
    else:
        shown = dump
    confirm(f"Replace the database {name} of this stack by {shown}?", assume_yes=yes)
    if not exists(to, f"{name}_before_restore"):
        room_for_copy(to)
    begin = time.monotonic()
    fresh = f"{name}_restored"
    with progress(f"Loading {dump} next to the live database"):
        done = run_job(to.cluster, cron_job, "load", scripts.LOAD, {"SCRATCH": fresh, "DUMP": dump})
    report = read(done.lines)
    say(f"loaded {len(report.restored)} tables, {report.rows} rows in {duration(done.seconds)}")
    if not report.restored:
        raise Failure(f"The backup {dump} has no table, so nothing was changed; choose another.")
    _swap_without_writers(to, writers, fresh, drop_old=drop_old)
    say(f"restored {shown} in {duration(time.monotonic() - begin)}", "bold green")


def exists(to: Target, name: str) -> bool:
    """Returns whether there is a database."""
    query = f"SELECT 1 FROM pg_database WHERE datname = '{name}';"  # noqa: S608 - checked name
    return bool(database.sql(to.stack, to.cluster, query, database="postgres").strip())


def _swap_without_writers(to: Target, writers: Writers, fresh: str, *, drop_old: bool) -> None:
    name = to.stack.database.name
    begin = time.monotonic()
    try:
        with progress("Stopping the backend"):
            writers.stop()
        with progress("Swapping the databases"):
            swap(to, fresh)
    finally:
        # Also after a failure or Ctrl-C: the database is either the old or the new, never half.
        with progress("Starting the backend"):
            writers.start()
    say(f"the backend was stopped for {duration(time.monotonic() - begin)}")
    old = f"{name}_before_restore"
    if drop_old:
        statement = f'DROP DATABASE IF EXISTS "{old}" WITH (FORCE);'
        database.sql(to.stack, to.cluster, statement, database="postgres")
    else:
        say(f"the database as it was is kept as {old}; swap back: python -m ops restore --undo")


def swap(to: Target, fresh: str) -> None:
    """Renames the databases in one transaction; who is connected is disconnected."""
    live, old = to.stack.database.name, f"{to.stack.database.name}_before_restore"
    if fresh == old:
        steps = [(live, f"{live}_swap"), (old, live), (f"{live}_swap", old)]
        prepare = ""
    else:
        steps = [(live, old), (fresh, live)]
        prepare = f'DROP DATABASE IF EXISTS "{old}" WITH (FORCE);\n'
    renames = "".join(f'ALTER DATABASE "{a}" RENAME TO "{b}";\n' for a, b in steps)
    names = f"'{live}', '{fresh}'"
    disconnect = (
        "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity "  # noqa: S608
        f"WHERE datname IN ({names}) AND pid <> pg_backend_pid();\n"
    )
    # Not everybody's connections end for the application's role.
    statements = f"SET ROLE NONE;\n{prepare}{disconnect}BEGIN;\n{renames}COMMIT;\n"
    for attempt in range(5):
        try:
            database.sql(to.stack, to.cluster, statements, database="postgres")
        except Failure:
            if attempt == 4 or not exists(to, fresh):
                raise
            time.sleep(1)
        else:
            return
