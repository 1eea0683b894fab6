"""`rotate-password`: a new database password without a failed request."""

import secrets
import time
from typing import Annotated

import typer

from ops import database
from ops.context import target
from ops.failure import Failure
from ops.rotation import Rotation, digest
from ops.terminal import confirm, duration, progress, say


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(rotate_password)


def rotate_password(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,  # noqa: FBT002
) -> None:
    """Change the database's password everywhere; cut off at any step, run it again.

    The backend keeps serving: requests that meet the change wait for a second. It ends with a
    rolling restart of the backend through `pulumi up`.
    """
    to = target(context)
    database.server(to.stack, to.cluster)
    rotation = Rotation(to.stack, to.cluster)
    configured = rotation.configured()
    pending = (
        rotation.pending()
        or rotation.stored() != {digest(configured)}
        or not rotation.accepts(configured)
    )
    if pending:
        say("an earlier rotation was cut off; this goes on with its password")
        password = configured
    else:
        confirm("Change the database's password now?", assume_yes=yes)
        password = secrets.token_urlsafe(36)
    begin = time.monotonic()
    with progress("1/4 Writing it, encrypted, into the stack's configuration"):
        if not pending:
            rotation.configure(password)
    with progress("2/4 Bringing it to the backend pods"):
        rotation.store(password)
        rotation.wait_for_files(password, everybody=False)
        first = time.monotonic()
    with progress("3/4 Changing it in the database"):
        rotation.alter_role(password)
        altered = time.monotonic()
        rotation.wait_for_files(password, everybody=True)
        last = time.monotonic()
        if not rotation.accepts(password):
            raise Failure("The database does not accept the new password; run this again.")
        rotation.disown()
    say(
        f"every pod and the database agree; for new connections they differed for at most "
        f"{duration(max(altered - first, last - altered))}"
    )
    with progress("4/4 Bringing Pulumi's state up to date (rolls the backend)"):
        rotation.update_state()
        rotation.finish()
    say(f"rotated in {duration(time.monotonic() - begin)}", "bold green")
