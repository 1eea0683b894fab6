"""Failures that a user can act on, and the exit codes of every command."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command returns to the shell."""

    OK = 0
    FAILED = 1
    """The command ran and something is wrong: a check failed, a step did not succeed."""
    USAGE = 2
    """An argument is wrong, or nobody was there to confirm."""
    UNREACHABLE = 3
    """The stack, its outputs or the cluster could not be reached."""
    REFUSED = 4
    """The user said no; nothing was changed."""
    DRIFT = 5
    """`drift`: the cluster differs from what Pulumi remembers."""
    INTERRUPTED = 130


class Failure(Exception):  # noqa: N818 - what users see is not always an error
    """A failure whose text is one sentence that says what to do."""

    def __init__(self, sentence: str, code: ExitCode = ExitCode.FAILED) -> None:
        """Keeps the sentence.

        Args:
            sentence: What happened and what to do next.
            code: The exit code.
        """
        super().__init__(sentence)
        self.code = code
