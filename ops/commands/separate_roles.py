"""`separate-roles`: the application's role loses the rights of a superuser."""

from typing import Annotated

import typer

from console.confirm import confirm
from ops import database
from ops.context import target
from ops.failure import Failure
from ops.password_rotation import PasswordRotation
from ops.role_separation import SUPERUSER, RoleSeparation
from ops.terminal import progress, say


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(separate_roles)


def separate_roles(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,  # noqa: FBT002
) -> None:
    """Take superuser rights from the application's role; cut off at any step, run it again.

    Only for volumes that an earlier version made. The application keeps serving, its password stays
    the same.
    """
    to = target(context)
    database.server(to.stack, to.cluster)
    role, separation = to.stack.database.user, RoleSeparation(to.stack, to.cluster)
    if separation.complete():
        say(f"the role {role} is no superuser; there is nothing to do", "green")
        return
    confirm(
        f"Rename the superuser {role} to {SUPERUSER}, and make {role} a role that owns the "
        "application's data and nothing else?",
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
    say(f"to end them: kubectl -n {to.cluster.namespace} rollout restart deployment/backend")
