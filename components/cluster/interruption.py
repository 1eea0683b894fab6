"""Ends the program without a word when Pulumi has no more use for it."""

import atexit
import os
import signal
import sys

# Never 0: Pulumi would take the program for finished, and delete what it has not declared yet.
_INTERRUPTED = 128 + signal.SIGINT


def end_quietly() -> None:
    """Leaves out Python's tracebacks when the program is interrupted.

    Once an update or a preview has failed, Pulumi's Python host (seen in 3.260) interrupts the
    program. Python would print where it was then: sixty lines and more around the sentence that
    says what failed. Nothing changes where somebody else handles interrupts.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)
        # First come, last served: what is registered later, such as files to remove, goes before.
        atexit.register(_leave)


def _end(number: int, _frame: object) -> None:
    # Interrupted once more, the cleaning up would be cut off.
    signal.signal(number, signal.SIG_IGN)
    sys.exit(_INTERRUPTED)


def _leave() -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Python would go on to say which of Pulumi's coroutines nobody has awaited.
        os._exit(_INTERRUPTED)
