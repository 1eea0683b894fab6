"""`restore --to`: the database as it was at a moment, in the place of the live one."""

from datetime import UTC, datetime

from console.confirm import confirm
from ops.cnpg.archive import archive, archived_database, close_segment
from ops.cnpg.recovery import Recovery
from ops.commands.backups import room_for_copy
from ops.commands.recovered import put_recovered_in_place
from ops.context import Target
from ops.database_names import Purpose, derived
from ops.moments import moment, require_recoverable, written
from ops.terminal import progress
from ops.writers import Writers


def restore_moment(to: Target, writers: Writers, text: str, *, yes: bool, drop_old: bool) -> None:
    """Replaces the live database by what it was at a moment.

    A second Cluster is recovered beside the live one, while the application runs; its database is
    copied next to the live one and compared; only then the writers are stopped and the two swapped.
    Cut off at any step, it is run again.

    Args:
        to: The stack.
        writers: Who writes.
        text: The moment, as somebody wrote it.
        yes: Whether nobody is asked.
        drop_old: Whether the database as it was before is not kept.

    Raises:
        Failure: The moment cannot be recovered, or a step failed; the live database is as it was.
    """
    found = archived_database(to.stack, "Recovery to a moment")
    when = moment(text)
    live = to.cluster.get("Cluster", found.cluster)
    require_recoverable(when, archive(live).first, datetime.now(UTC))
    confirm(
        f"Replace the database {found.name} of this stack by what it was at {written(when)}?",
        assume_yes=yes,
    )
    room_for_copy(to, derived(found.name, Purpose.RESTORED))
    with progress("Bringing the newest writes into the object store"):
        close_segment(to.stack, to.cluster)
    recovery = Recovery(to.cluster, found, when)
    put_recovered_in_place(to, writers, recovery, written(when), drop_old=drop_old)
