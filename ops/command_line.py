"""The commands of `python -m ops [--project FOLDER] [--stack NAME] <command>`."""

from pathlib import Path
from typing import Annotated

import typer

from ops.commands.backups import backup, backups, restore_drill
from ops.commands.drift import drift
from ops.commands.forward import SERVICES_ARE_OPTIONS, forward
from ops.commands.history import history
from ops.commands.logs import logs
from ops.commands.move_database import move_database
from ops.commands.options import require_values
from ops.commands.release import release
from ops.commands.restore import restore
from ops.commands.rotate import rotate_jwt_key, rotate_password
from ops.commands.separate_roles import separate_roles
from ops.commands.shell_db import shell_db
from ops.commands.status import open_browser, status
from ops.commands.switchover import switchover
from ops.commands.sync_secrets import sync_secrets
from ops.commands.upgrade_database import upgrade_database
from ops.commands.validate import validate
from ops.context import Target
from ops.invocation import name_stack

app = typer.Typer(
    name="ops",
    help="Look after a deployed stack: check, watch, back up, restore, rotate.",
    epilog="Exit codes: 0 fine, 1 something is wrong, 2 wrong usage, 3 stack or cluster not "
    "reachable, 4 not confirmed, 5 drift, 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_PROJECT = Path(__file__).resolve().parent.parent
# The order of `--help`. A name that differs from the function's is given beside it.
app.command()(release)
app.command()(validate)
app.command()(status)
app.command(name="open")(open_browser)
app.command()(logs)
app.command(context_settings=SERVICES_ARE_OPTIONS)(forward)
app.command()(shell_db)
app.command()(backup)
app.command()(backups)
app.command()(restore_drill)
app.command()(restore)
app.command()(switchover)
app.command()(move_database)
app.command()(rotate_password)
app.command()(rotate_jwt_key)
app.command()(sync_secrets)
app.command()(separate_roles)
app.command()(upgrade_database)
app.command()(drift)
app.command()(history)


@app.callback()
def options(
    context: typer.Context,
    project: Annotated[
        Path, typer.Option(envvar="OPS_PROJECT", help="Folder with Pulumi.yaml.")
    ] = _PROJECT,
    stack: Annotated[
        str | None, typer.Option(envvar="OPS_STACK", help="Stack; default: the selected one.")
    ] = None,
) -> None:
    """Look after a deployed stack: check, watch, back up, restore, rotate."""
    require_values({"--stack": stack})
    name_stack(stack)
    context.obj = Target(project.resolve(), stack)
