"""Putting another database in the place of the live one while nobody writes."""

import time

from console.duration import duration
from console.failure import Failure
from ops.context import Target
from ops.database_names import Purpose, derived
from ops.database_swap import Candidate, discard, put_in_place
from ops.terminal import progress, say
from ops.writers import Writers


def swap_without_writers(to: Target, writers: Writers, fresh: Candidate, *, drop_old: bool) -> None:
    """Stops the writers, swaps the databases, and starts the writers whatever comes.

    Args:
        to: The stack.
        writers: Who writes.
        fresh: The database that becomes the live one.
        drop_old: Whether the one that was live is not kept.

    Raises:
        Failure: The live database is the one that it was, or the writers do not start.
    """
    begin, stands = time.monotonic(), "The database is the one that it was"
    try:
        with progress("Stopping the backend"):
            writers.stop()
        stands = "Nobody knows yet whether the databases were swapped"
        with progress("Swapping the databases"):
            put_in_place(to, fresh)
        stands = "The databases are swapped"
    finally:
        # Also after a failure or Ctrl-C: the database is either the old or the new, never half.
        _start(writers, stands)
    say(f"the backend was stopped for {duration(time.monotonic() - begin)}")
    if drop_old:
        discard(to, Purpose.BEFORE_RESTORE)
    else:
        old = derived(to.stack.contract.database.name, Purpose.BEFORE_RESTORE).name
        say(f"the database as it was is kept as {old}; swap back: python -m ops restore --undo")


def _start(writers: Writers, stands: str) -> None:
    try:
        with progress("Starting the backend"):
            writers.start()
    except Failure as failure:
        raise Failure(
            f"{stands}, and the backend may be stopped: {failure} Mend that, then start it with "
            "`python -m ops restore --resume`.",
            failure.code,
        ) from None
