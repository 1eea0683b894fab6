"""`move-database`: from a StatefulSet to an operator's servers, and back."""

import time
from typing import Annotated

import typer

from console.confirm import confirm
from console.duration import duration
from console.failure import ExitCode, Failure
from ops.commands.options import Yes
from ops.context import Target, target
from ops.copying.comparison import copied
from ops.database_move import DatabaseMove, left_over
from ops.terminal import progress, say
from ops.writers import Writers


def move_database(
    context: typer.Context,
    mode: Annotated[
        str, typer.Option("--to", help="The database.mode: inCluster or operator.")
    ] = "",
    drop_old: Annotated[
        bool, typer.Option("--drop-old", help="Delete the volume that an earlier move has left.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Move the database to another kind of server; first set database.mode in the settings.

    The new server is made beside the old one, while the application runs. Then the backend is
    stopped, the database copied and compared row by row, and the backend brought to the new server.
    The old volume stays until --drop-old. Cut off at any step, run it again, or go back with the
    other mode.
    """
    if drop_old and mode:
        raise Failure("--drop-old goes with no --to; move first, then drop.", ExitCode.USAGE)
    to = target(context)
    if drop_old:
        _drop(to, yes=yes)
        return
    if not mode:
        raise Failure("Say where to: --to operator or --to inCluster.", ExitCode.USAGE)
    move = DatabaseMove(to, mode)
    if move.is_done:
        say(f"the database is with {mode} already; there is nothing to do", "green")
        return
    writers = Writers(to.stack, to.cluster)
    if move.has_data:
        confirm(f"Leave the data with {mode}, and end the move that was cut off?", assume_yes=yes)
    else:
        replaced = move.replaced()
        confirm(
            f"Move the database {move.source.name} from {move.source.mode} to {mode}? The backend "
            "is stopped while it is copied."
            + f" What an earlier move left ({', '.join(replaced)}) is replaced."
            * bool(replaced),
            assume_yes=yes,
        )
    begin = stopped = time.monotonic()
    if not move.has_data:
        with progress("1/3 Making the new server beside the old one"):
            move.begin()
        if others := move.left_behind():
            say(f"not moved, but kept on the old volume: {', '.join(others)}", "yellow")
        stopped = time.monotonic()
        _copy(move, writers)
    with progress("3/3 Bringing the application to the server that has the data"):
        move.finish()
        writers.start()
        move.end()
    say(f"the backend was stopped for {duration(time.monotonic() - stopped)}")
    say(f"the database is with {mode}, in {duration(time.monotonic() - begin)}", "bold green")
    for kind, name in left_over(to):
        say(f"{kind} {name} is kept as it was: python -m ops move-database --drop-old")


def _copy(move: DatabaseMove, writers: Writers) -> None:
    try:
        with progress("2/3 Copying the database, with the backend stopped"):
            writers.stop()
            tables = move.copy()
            move.switch()
    except BaseException:
        _start_again(move, writers)
        raise
    say(copied(tables))


def _start_again(move: DatabaseMove, writers: Writers) -> None:
    """Starts the writers, if the data are where they were: the answer may have been lost alone.

    Raises:
        Failure: Nobody knows where the data are by now, or they are with the new server.
    """
    try:
        switched = move.is_switched()
    except Failure as failure:
        raise Failure(
            f"{failure} The backend stays stopped, as it may be the new server that has the data; "
            "run this again."
        ) from None
    if switched:
        raise Failure(
            "The new server has the data, but the application is not with it yet; run this again, "
            "which does the rest."
        )
    writers.start()


def _drop(to: Target, *, yes: bool) -> None:
    found = left_over(to)
    if not found:
        raise Failure("No move has left a volume, so nothing was deleted.", ExitCode.USAGE)
    names = ", ".join(f"{kind} {name}" for kind, name in found)
    confirm(f"Delete {names} for ever, with all data on it?", assume_yes=yes)
    for kind, name in found:
        to.cluster.delete(kind, name)
        if kind == "Cluster":
            _drop_what_it_read(to, name)
    say(f"deleted: {names}")


def _drop_what_it_read(to: Target, cluster: str) -> None:
    """Deletes what Pulumi left beside a Cluster for it to go on: its Secrets and policies."""
    labels = (
        # Who signs the certificate of its store is labelled as of its backups.
        f"app.kubernetes.io/name in ({cluster},{cluster}-backup),"
        "app.kubernetes.io/managed-by=pulumi,"
        f"app.kubernetes.io/instance={to.stack.contract.instance}"
    )
    for kind in ("Secret", "NetworkPolicy"):
        for it in to.cluster.items(kind, selector=labels):
            to.cluster.delete(kind, it["metadata"]["name"])
