"""`restore`: put a backup in the place of the live database."""

import time
from collections.abc import Sequence
from typing import Annotated

import typer

from console.confirm import confirm
from console.duration import duration
from console.failure import ExitCode, Failure
from ops import backup_steps, database, scripts
from ops.commands.backups import (
    NO_BACKUP,
    backups_of,
    read_backups,
    room_for_copy,
    show_dump,
    show_left,
)
from ops.commands.options import DumpName, Yes, require_values
from ops.commands.restore_lost import restore_lost
from ops.commands.restore_moment import restore_moment
from ops.context import Target, target
from ops.contract import OperatorDatabase
from ops.database_move import refuse_while_moving
from ops.database_names import Purpose, derived
from ops.database_swap import Candidate, discard, own
from ops.dumps import Report, read
from ops.jobs import backup_cron_job, run_job
from ops.stopped_swap import swap_without_writers
from ops.terminal import progress, say
from ops.upgrade.under_way import refuse_while_upgrading
from ops.writers import Writers


def restore(
    context: typer.Context,
    dump: DumpName = None,
    yes: Yes = False,
    moment: Annotated[
        str | None,
        typer.Option(
            "--to",
            help="A time with its zone, such as 2026-01-31T09:00:00Z: the database as it was then.",
        ),
    ] = None,
    lost: Annotated[
        bool,
        typer.Option("--lost", help="What the archive of a lost cluster leads to (see --archive)."),
    ] = False,
    archive: Annotated[
        str | None,
        typer.Option("--archive", help="Name of that archive; default: the only other one."),
    ] = None,
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
    """Replace the live database by a backup, or with --to by what it was at a moment.

    After the loss of a cluster whose database an operator ran, --lost reads what that has archived;
    with --to as it was at a moment of then.

    The backup is loaded next to the live database first, while the application runs; only then are
    the writers stopped, the two databases swapped in one transaction, and the writers started. The
    old one stays until the next restore, so that --undo can swap back.
    """
    values = {"--dump": dump, "--to": moment, "--archive": archive}
    require_values(values)
    words = {"--undo": undo, "--resume": resume, "--lost": lost, "--drop-old": drop_old}
    _require_fitting([it for it, given in (values | words).items() if given])
    to = target(context)
    refuse_while_moving(to)
    writers = Writers(to.stack, to.cluster)
    if resume:
        with progress("Starting the backend"):
            writers.start()
        say("The backend runs.", "green")
        return
    database.require_ready(to.stack, to.cluster)
    refuse_while_upgrading(to)
    name = to.stack.contract.database.name
    fresh, kept = derived(name, Purpose.RESTORED), derived(name, Purpose.BEFORE_RESTORE)
    former = own(to, kept)
    if undo:
        if former is None:
            raise Failure("There is nothing to undo: no earlier database is kept.", ExitCode.USAGE)
        confirm(f"Put {name} back as it was before the last restore?", assume_yes=yes)
        swap_without_writers(to, writers, Candidate(kept, former), drop_old=False)
        return
    own(to, fresh)
    if lost or archive:
        restore_lost(to, writers, archive or "", moment or "", yes=yes, drop_old=drop_old)
        return
    if moment:
        restore_moment(to, writers, moment, yes=yes, drop_old=drop_old)
        return
    _restore_dump(to, writers, dump or "", yes=yes, drop_old=drop_old)


def _require_fitting(given: Sequence[str]) -> None:
    """Checks that no option is given that would not be heeded beside another."""
    for alone in ("--undo", "--resume"):
        if alone in given and len(given) > 1:
            other = next(it for it in given if it != alone)
            raise Failure(f"{alone} goes with no {other}; choose one.", ExitCode.USAGE)
    for other in ("--to", "--lost", "--archive"):
        if {"--dump", other} <= {*given}:
            raise Failure(f"--dump and {other} name two things; choose one.", ExitCode.USAGE)


def _restore_dump(to: Target, writers: Writers, dump: str, *, yes: bool, drop_old: bool) -> None:
    if isinstance(to.stack.contract.database, OperatorDatabase):
        raise Failure(
            "An operator's backups lead to any moment; name one: python -m ops restore --to "
            "2026-01-31T09:00:00Z; or, after the loss of a cluster: python -m ops restore --lost",
            ExitCode.USAGE,
        )
    name = to.stack.contract.database.name
    fresh = derived(name, Purpose.RESTORED)
    cron_job = backup_cron_job(to.stack, to.cluster)
    if not dump:
        report = read_backups(to, cron_job)
        known = report.dumps
        if not known:
            raise Failure(_none(report), ExitCode.USAGE)
        dump = known[0].name
        shown = show_dump(known[0])
    else:
        shown = dump
    confirm(f"Replace the database {name} of this stack by {shown}?", assume_yes=yes)
    room_for_copy(to, fresh)
    begin = time.monotonic()
    environment = {"SCRATCH": fresh.name, "MARK": fresh.mark}
    steps = backup_steps.loading(backups_of(to), scripts.LOAD, environment, dump)
    with progress(f"Loading {dump} next to the live database"):
        done = run_job(to.cluster, cron_job, "load", steps)
    report = read(done.lines)
    say(f"loaded {len(report.restored)} tables, {report.rows} rows in {duration(done.seconds)}")
    show_left(report)
    if not report.restored:
        discard(to, Purpose.RESTORED)
        raise Failure(f"The backup {dump} has no table, so nothing was changed; choose another.")
    if report.made is None:
        raise Failure("The job did not say to its end what it did; run this again.")
    swap_without_writers(to, writers, Candidate(fresh, report.made), drop_old=drop_old)
    say(f"restored {shown} in {duration(time.monotonic() - begin)}", "bold green")


def _none(report: Report) -> str:
    others = [it.name for it in report.rest if it.state == "other"]
    if others and report.free is None:
        return (
            "There is no backup of this stack yet; make one: python -m ops backup; or restore one "
            f"that another made: python -m ops restore --dump {max(others)}"
        )
    return NO_BACKUP
