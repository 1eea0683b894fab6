"""Command line: `python -m ops [--project FOLDER] [--stack NAME] <command>`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from console.failure import ExitCode, Failure
from ops.commands.backups import backup, backups, restore_drill
from ops.commands.drift import drift
from ops.commands.forward import SERVICES_ARE_OPTIONS, forward
from ops.commands.history import history
from ops.commands.logs import logs
from ops.commands.restore import restore
from ops.commands.rotate import rotate_jwt_key, rotate_password
from ops.commands.separate_roles import separate_roles
from ops.commands.shell_db import shell_db
from ops.commands.status import open_browser, status
from ops.commands.validate import validate
from ops.context import Target
from ops.terminal import note

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
app.command()(rotate_password)
app.command()(rotate_jwt_key)
app.command()(separate_roles)
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
    context.obj = Target(project.resolve(), stack or None)


def main() -> None:
    """Runs the command line; a failure is one sentence on standard error."""
    try:
        app()
    except Failure as failure:
        note(str(failure), "bold red")
        sys.exit(int(failure.code))
    except KeyboardInterrupt:
        sys.exit(int(ExitCode.INTERRUPTED))


if __name__ == "__main__":
    main()
