"""What a command does when it is told to end."""

import signal
import subprocess
from typing import Any


def end_as_by_ctrl_c() -> None:
    """Has what tells a process to end raise KeyboardInterrupt, unless it is ignored or handled.

    By default Python would be gone at once, and what it runs would go on.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)


def wait_out(process: subprocess.Popen[Any]) -> int:
    """Returns a process's exit code once it has ended, whatever this one is told meanwhile.

    What a terminal sends gets to both: the process ends as it sees fit, at the second time at once.

    Args:
        process: What has been told to end.
    """
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue
