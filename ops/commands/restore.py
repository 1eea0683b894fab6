"""`restore`: put a backup in the place of the live database."""

import time
from typing import Annotated

import typer

from console.confirm import confirm
from console.duration import duration
from console.failure import ExitCode, Failure
from ops import database, scripts
from ops.commands.backups import room_for_copy, show_dump, show_left
from ops.commands.options import Yes
from ops.context import Target, target
from ops.database_names import Derived, Purpose, derived
from ops.database_swap import discard, own, put_in_place
from ops.dumps import read
from ops.jobs import backup_cron_job, run_job
from ops.terminal import progress, say
from ops.writers import Writers


def restore(
    context: typer.Context,
    dump: Annotated[
        str, typer.Option("--dump", help="Name of a backup; default: the newest.")
    ] = "",
    yes: Yes = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Swap back to the database as it was before.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Only start what a cut-off restore stopped.")
    ] = False,
    drop_old: Annotated[
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
    database.require_ready(to.stack, to.cluster)
    name = to.stack.contract.database.name
    fresh, kept = derived(name, Purpose.RESTORED), derived(name, Purpose.BEFORE_RESTORE)
    former = own(to, kept)
    if undo:
        if former is None:
            raise Failure("There is nothing to undo: no earlier database is kept.", ExitCode.USAGE)
        confirm(f"Put {name} back as it was before the last restore?", assume_yes=yes)
        _swap_without_writers(to, writers, kept, drop_old=False)
        return
    own(to, fresh)
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
    room_for_copy(to, fresh)
    begin = time.monotonic()
    environment = {"SCRATCH": fresh.name, "MARK": fresh.mark, "DUMP": dump}
    with progress(f"Loading {dump} next to the live database"):
        done = run_job(to.cluster, cron_job, "load", scripts.LOAD, environment)
    report = read(done.lines)
    say(f"loaded {len(report.restored)} tables, {report.rows} rows in {duration(done.seconds)}")
    show_left(report)
    if not report.restored:
        discard(to, Purpose.RESTORED)
        raise Failure(f"The backup {dump} has no table, so nothing was changed; choose another.")
    _swap_without_writers(to, writers, fresh, drop_old=drop_old)
    say(f"restored {shown} in {duration(time.monotonic() - begin)}", "bold green")


def _swap_without_writers(to: Target, writers: Writers, fresh: Derived, *, drop_old: bool) -> None:
    begin = time.monotonic()
    try:
        with progress("Stopping the backend"):
            writers.stop()
        with progress("Swapping the databases"):
            put_in_place(to, fresh)
    finally:
        # Also after a failure or Ctrl-C: the database is either the old or the new, never half.
        with progress("Starting the backend"):
            writers.start()
    say(f"the backend was stopped for {duration(time.monotonic() - begin)}")
    if drop_old:
        discard(to, Purpose.BEFORE_RESTORE)
    else:
        old = derived(to.stack.contract.database.name, Purpose.BEFORE_RESTORE).name
        say(f"the database as it was is kept as {old}; swap back: python -m ops restore --undo")
