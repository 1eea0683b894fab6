"""What nobody may begin while an upgrade of the database is under way, or was cut off."""

from console.failure import ExitCode, Failure
from ops.context import Target
from ops.copying.freeze import FROZEN
from ops.database import sql


def refuse_while_upgrading(to: Target) -> None:
    """Checks that nobody has stopped the writes to the stack's server.

    What is put in place of a database then would not be on the volume that an upgrade goes on with;
    and no password can be set.

    Args:
        to: The stack, whose server runs.

    Raises:
        Failure: An upgrade has.
    """
    if int(sql(to.stack, to.cluster, FROZEN, database="postgres", superuser=True)):
        raise Failure(
            "An upgrade of the database runs or was cut off, and nobody can write; end it first: "
            "python -m ops upgrade-database; or, to give it up, with --back",
            ExitCode.USAGE,
        )
