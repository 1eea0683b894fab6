"""Options that several commands have."""

from collections.abc import Mapping
from typing import Annotated

import typer

from console.failure import ExitCode, Failure

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DumpName = Annotated[
    str | None, typer.Option("--dump", help="Name of a backup; default: the newest.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def require_values(options: Mapping[str, str | None]) -> None:
    """Checks that no option has an empty value, as of a shell's variable that is not set.

    What is left out has a meaning, such as the newest backup, which nobody has asked for then.

    Args:
        options: Each with its value; None: it was left out.

    Raises:
        Failure: One is empty.
    """
    for option, value in options.items():
        if value is not None and not value.strip():
            raise Failure(
                f"{option} has an empty value; give it one, or leave it out.", ExitCode.USAGE
            )
