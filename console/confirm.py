"""Asking before something that cannot be undone."""

import sys

from console.failure import ExitCode, Failure


def confirm(question: str, *, assume_yes: bool, flag: str = "--yes") -> None:
    """Asks before something that changes data.

    Args:
        question: What is asked.
        assume_yes: Whether the answer was given with the command.
        flag: How it is given with the command.

    Raises:
        Failure: The answer was not yes, or nobody is there to answer.
    """
    if assume_yes:
        return
    if not sys.stdin.isatty():
        raise Failure(
            f"{question} Nobody is there to answer: add {flag} to go on without asking.",
            ExitCode.USAGE,
        )
    try:
        answer = input(f"{question} [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() not in {"y", "yes"}:
        raise Failure("Nothing was changed, because the answer was not yes.", ExitCode.REFUSED)
