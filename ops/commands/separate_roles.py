"""`separate-roles`: the application's role loses the rights of a superuser."""

import typer

from console.confirm import confirm
from console.failure import Failure
from ops import database
from ops.commands.options import Yes
from ops.context import target
from ops.password_rotation import PasswordRotation
from ops.role_separation import RoleSeparation
from ops.terminal import progress, say


def separate_roles(
    context: typer.Context,
    yes: Yes = False,
) -> None:
    """Take superuser rights from the application's role; cut off at any step, run it again.

    Only for volumes that an earlier version made. The application keeps serving, its password stays
    the same.
    """
    to = target(context)
    database.require_ready(to.stack, to.cluster)
    role, separation = to.stack.contract.database.user, RoleSeparation(to.stack, to.cluster)
    if separation.complete():
        say(f"the role {role} is no superuser; there is nothing to do", "green")
        return
    confirm(
        f"Rename the superuser {role} to {separation.superuser}, and make {role} a role that owns "
        "the application's data and nothing else?",
        assume_yes=yes,
    )
    password = None
    if separation.is_superuser() is None:
        try:
            password = PasswordRotation(to.stack, to.cluster).configured()
        except Failure:
            password = None
    with progress("Separating the roles"):
        separation.separate(password)
    say(f"{role} is no superuser; connections that are open keep their rights until they end")
    writers = [it for it in to.stack.contract.services if it.writes_to_database]
    workloads = " ".join(f"{it.kind.lower()}/{it.workload}" for it in writers)
    say(f"to end them: kubectl -n {to.cluster.namespace} rollout restart {workloads}")
