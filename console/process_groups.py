"""Ends commands that lead a process group of their own, with all that they have started."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any


def end_groups(leaders: Sequence[subprocess.Popen[Any]], seconds: float) -> None:
    """Ends commands as Ctrl-C does, so that they tidy up.

    What has not ended then is killed, and at once when there is another interrupt.

    Args:
        leaders: The commands, each the first of its process group.
        seconds: How long all of them together may take to tidy up.
    """
    until = time.monotonic() + seconds
    # A shell without job control has what it runs in the background ignore interrupts, which the
    # commands inherit.
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    for leader in leaders:
        if leader.poll() is None:
            _send(leader, signal.SIGTERM if ignored else signal.SIGINT)
    try:
        for leader in leaders:
            with suppress(subprocess.TimeoutExpired):
                # Reads what they say until then: a full pipe would keep them from ending.
                leader.communicate(timeout=max(0, until - time.monotonic()))
    finally:
        for leader in leaders:
            if leader.poll() is None or (leader.stdout and not leader.stdout.closed):
                # It, or what it has left behind, which still has its end of the pipe.
                _send(leader, signal.SIGKILL)


def _send(leader: subprocess.Popen[Any], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader.pid, number)
