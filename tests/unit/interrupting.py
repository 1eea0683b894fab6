"""A program of the project that is sent a signal, and what is left of what it has started."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.recording import ROOT


def interrupted(program: str, folder: Path, number: signal.Signals, *began: str) -> tuple[int, str]:
    """Runs a program, and sends it a signal once it has begun; returns exit code and errors.

    Args:
        program: In Python; its argument is the folder.
        folder: Where it says how far it is.
        number: The signal.
        began: The files that are there once it has begun.
    """
    with subprocess.Popen(
        [sys.executable, "-c", program, folder], cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as process:
        while not all((folder / name).exists() for name in began):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(number)
        _, errors = process.communicate()
    return process.returncode, errors


def is_gone(file: Path) -> bool:
    """Returns whether the process whose number is in a file has ended.

    One that has ended is listed until its parent asks, which in a container may be nobody.
    """
    try:
        status = Path("/proc", file.read_text().strip(), "status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return "State:\tZ" in status
