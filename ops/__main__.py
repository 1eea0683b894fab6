"""Command line: `python -m ops [--project FOLDER] [--stack NAME] <command>`."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from console.failure import ExitCode, Failure
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
for _module in (
    "validate",
    "status",
    "logs",
    "forward",
    "shell_db",
    "backups",
    "restore",
    "rotate",
    "separate_roles",
    "drift",
    "history",
):
    import_module(f"ops.commands.{_module}").register(app)


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
