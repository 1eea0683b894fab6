"""Putting another database in the place of the live one while nobody writes."""

import time

from console.duration import duration
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
