"""Putting the database of a Cluster that is recovered beside the live one in the place of that."""

import time

from console.duration import duration
from console.failure import Failure
from ops import database
from ops.cnpg.recovery import Recovery
from ops.commands.backups import room_for_copy
from ops.context import Target, with_stack
from ops.copying.comparison import copied
from ops.copying.copying import COPIER
from ops.copying.server import Server
from ops.database_copy import copy_beside, server_of
from ops.database_names import Purpose, derived
from ops.database_swap import discard
from ops.stopped_swap import swap_without_writers
from ops.terminal import progress, say
from ops.writers import Writers

_ROLES = "SELECT rolname FROM pg_roles ORDER BY rolname;"


def put_recovered_in_place(
    to: Target, writers: Writers, recovery: Recovery, shown: str, *, drop_old: bool
) -> None:
    """Recovers a second Cluster, and replaces the live database by its.

    While the application runs, its database is copied next to the live one and compared; only then
    the writers are stopped and the two swapped. Cut off at any step, it is run again.

    Args:
        to: The stack.
        writers: Who writes.
        recovery: What is recovered.
        shown: That, as a person reads it.
        drop_old: Whether the database as it was before is not kept.

    Raises:
        Failure: A step failed; the live database is as it was.
    """
    name = to.stack.contract.database.name
    begin = time.monotonic()
    try:
        with progress(f"Recovering a second Cluster: {shown}"):
            other = with_stack(to, to.stack.with_database(recovery.recover()))
        say(f"recovered in {duration(time.monotonic() - begin)}")
        # It may have been larger then, and the live one may be new and empty.
        octets = database.octets(other.stack, other.cluster)
        room_for_copy(to, derived(name, Purpose.RESTORED), octets)
        left = left_behind(server_of(other), server_of(to), name)
        with progress("Copying its database next to the live one"):
            fresh, tables = copy_beside(other, to)
        recovery.require_own()
    finally:
        with progress("Removing the second Cluster"):
            recovery.remove()
    if not tables:
        discard(to, Purpose.RESTORED)
        raise Failure(
            f"The database {name} has no table in what was recovered ({shown}), so nothing was "
            "changed; name another moment, or set database.name to what it was called there."
        )
    say(copied(tables))
    for it in left:
        say(f"not restored, only the archive has it: {it}", "yellow")
    swap_without_writers(to, writers, fresh, drop_old=drop_old)
    say(f"restored {shown} in {duration(time.monotonic() - begin)}", "bold green")


def left_behind(recovered: Server, live: Server, name: str) -> list[str]:
    """Returns what people had beside the application's database, and the live server has not.

    Args:
        recovered: The server that goes again.
        live: The server that stays.
        name: The application's database.
    """
    made = {derived(name, it).name for it in Purpose}
    databases = {*recovered.databases()} - {*live.databases()} - made
    roles = {*recovered.sql(_ROLES).split("\n")} - {*live.sql(_ROLES).split("\n"), COPIER}
    return [
        *(f"database {it}" for it in sorted(databases)),
        *(f"role {it}" for it in sorted(roles)),
    ]
