"""`rotate-password` and `rotate-jwt-key`: new secrets without a failed request."""

import secrets
import time
from typing import Annotated

import typer

from console.confirm import confirm
from console.duration import duration
from console.failure import ExitCode, Failure
from ops import database
from ops.commands.options import Yes
from ops.context import target
from ops.jwt_rotation import NEXT, PREVIOUS, JwtRotation
from ops.password_rotation import PasswordRotation
from ops.secret_files import digest
from ops.terminal import progress, say
from ops.upgrade.under_way import refuse_while_upgrading

_OTHER = (
    "The stack's file has another {} than is in use: that of a rotation that was cut off, or, in a "
    "file from before the last rotation, a former one."
)
"""Which of both nothing tells."""


def rotate_password(
    context: typer.Context,
    yes: Yes = False,
) -> None:
    """Change the database's password everywhere; cut off at any step, run it again.

    The backend keeps serving: requests that meet the change wait for a second. It ends with a
    rolling restart of the backend through `pulumi up`.
    """
    to = target(context)
    database.require_ready(to.stack, to.cluster)
    refuse_while_upgrading(to)
    rotation = PasswordRotation(to.stack, to.cluster)
    configured, begun = rotation.configured(), rotation.pending()
    pending = begun or rotation.stored() != {digest(configured)} or not rotation.accepts(configured)
    if pending:
        if not begun:
            confirm(f"{_OTHER.format('password')} Change the database's to it?", assume_yes=yes)
        say("this goes on with the password of the stack's file")
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
        rotation.files.wait(password, everybody=False)
        first = time.monotonic()
    with progress("3/4 Changing it in the database"):
        rotation.alter_role(password)
        altered = time.monotonic()
        rotation.files.wait(password, everybody=True)
        last = time.monotonic()
        rotation.require_accepted(password)
        rotation.release_fields()
    say(
        f"every pod and the database agree; for new connections they differed for at most "
        f"{duration(max(altered - first, last - altered))}"
    )
    with progress("4/4 Bringing Pulumi's state up to date (rolls the backend)"):
        rotation.update_state()
        rotation.finish()
    say(f"rotated in {duration(time.monotonic() - begin)}", "bold green")


def rotate_jwt_key(
    context: typer.Context,
    finish: Annotated[
        bool, typer.Option("--finish", help="Accept the former key no more.")
    ] = False,
    now: Annotated[
        bool, typer.Option("--now", help="With --finish: sign out who still has a former session.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Change the key that signs sessions; nobody is signed out; cut off, run it again.

    Both keys are valid until --finish takes the former one away, which waits for the last session
    signed with it.
    """
    if now and not finish:
        raise Failure("--now goes with --finish only.", ExitCode.USAGE)
    to = target(context)
    rotation = JwtRotation(to.stack, to.cluster)
    begin = time.monotonic()
    deployed = rotation.deployed()
    if finish:
        _finish(rotation, deployed=deployed, now=now, yes=yes)
    elif deployed or rotation.configured(NEXT):
        _rotate(rotation, yes=yes)
    else:
        confirm(f"{_OTHER.format('session key')} Bring it to the pods?", assume_yes=yes)
        with progress("Bringing the keys of the stack's file to the pods"):
            rotation.update()
    say(f"done in {duration(time.monotonic() - begin)}", "bold green")


def _rotate(rotation: JwtRotation, *, yes: bool) -> None:
    if rotation.configured(NEXT):
        say("an earlier rotation was cut off; this goes on with its key")
    elif rotation.configured(PREVIOUS):
        raise Failure(
            "The key before the last rotation is still accepted; end that rotation first: "
            "`python -m ops rotate-jwt-key --finish`.",
            ExitCode.USAGE,
        )
    else:
        confirm("Change the key that signs sessions now?", assume_yes=yes)
    with progress("1/2 Letting every pod accept the new key"):
        rotation.announce()
    with progress("2/2 Letting every pod sign with it"):
        rotation.promote()
    wait = max(rotation.seconds_to_wait(), 0)
    say(f"new sessions have the new key; in {duration(wait)} run the command with --finish")


def _finish(rotation: JwtRotation, *, deployed: bool, now: bool, yes: bool) -> None:
    former = rotation.configured(PREVIOUS)
    if rotation.configured(NEXT) or (former and not deployed):
        raise Failure(
            "A rotation was cut off; first run `python -m ops rotate-jwt-key`.", ExitCode.USAGE
        )
    if deployed and not former:
        say("no former key is accepted; there is nothing to finish")
        return
    wait = rotation.seconds_to_wait()
    if wait > 0 and not now:
        raise Failure(
            f"Sessions signed with the former key may be in use for another {duration(wait)}; run "
            "this again then, or add --now to sign them out.",
            ExitCode.USAGE,
        )
    confirm("Accept the former key no more?", assume_yes=yes)
    with progress("Taking the former key away"):
        rotation.retire()
