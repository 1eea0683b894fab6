"""Command line: `python -m ops [--project FOLDER] [--stack NAME] <command>`."""

import sys

from console import system_refusal
from console.encoding import print_what_can_be_shown
from console.failure import ExitCode, Failure
from console.signals import end_as_by_ctrl_c


def main() -> None:
    """Runs the command line; a failure is one sentence on standard error."""
    end_as_by_ctrl_c()
    print_what_can_be_shown()
    try:
        # Only here: it takes a second, in which somebody may press Ctrl-C.
        from ops.command_line import app
        from ops.terminal import interrupted, note
    except KeyboardInterrupt:
        print("Interrupted before anything was done; run this again.", file=sys.stderr)
        sys.exit(int(ExitCode.INTERRUPTED))
    try:
        app()
    except Failure as failure:
        note(str(failure), "bold red")
        sys.exit(int(failure.code))
    except OSError as error:
        note(system_refusal.sentence(error), "bold red")
        sys.exit(int(ExitCode.FAILED))
    except (KeyboardInterrupt, SystemExit) as end:
        # Typer makes the latter of the former.
        if isinstance(end, SystemExit) and end.code != ExitCode.INTERRUPTED:
            raise
        if step := interrupted():
            note(
                f"Interrupted in the step “{step}”; `python -m ops validate` says how things stand "
                "and how it goes on.",
                "bold red",
            )
        sys.exit(int(ExitCode.INTERRUPTED))


if __name__ == "__main__":
    main()
