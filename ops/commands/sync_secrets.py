"""`sync-secrets`: what the external store has by now, to the pods and the database."""

import time

import typer

from console.duration import duration
from ops import database
from ops.context import Target, target
from ops.external_secrets import ExternalSecrets
from ops.password_places import PASSWORD
from ops.password_rotation import PasswordRotation
from ops.secret_files import SecretFiles
from ops.terminal import progress, say


def sync_secrets(context: typer.Context) -> None:
    """Bring changed secrets from the external store to the pods and the database.

    No request fails: pods read their files anew, and the database gets a new password as soon as
    the first pod has it. Cut off at any step, run it again.
    """
    to = target(context)
    external = ExternalSecrets(to.stack, to.cluster)
    external.name()
    if to.stack.contract.server:
        database.require_ready(to.stack, to.cluster)
    begin = time.monotonic()
    with progress("1/3 Asking the store"):
        external.refresh()
    values = external.values()
    with progress("2/3 Bringing them to the pods"):
        files = {name: SecretFiles(to.stack, to.cluster, name) for name in values}
        files[PASSWORD].hurry()
        files[PASSWORD].wait(values[PASSWORD], everybody=False)
    with progress("3/3 Waiting until everybody has them"):
        changed = _change_password(to, values[PASSWORD])
        for name, value in values.items():
            files[name].wait(value, everybody=True)
    say(
        f"every pod has what the store has{', and the database' if changed else ''}, in "
        f"{duration(time.monotonic() - begin)}",
        "bold green",
    )


def _change_password(to: Target, password: str) -> bool:
    """Sets the password in the stack's database, unless it has it; returns whether it did."""
    if to.stack.contract.server is None:
        return False
    rotation = PasswordRotation(to.stack, to.cluster)
    if rotation.accepts(password):
        return False
    rotation.alter_role(password)
    rotation.require_accepted(password)
    return True
