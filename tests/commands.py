"""What a command printed, as far as it helps whoever reads that it failed."""

import subprocess
from collections.abc import Sequence
from typing import Any

_LINES, _CHARACTERS = 30, 3000


def how_it_ended(done: subprocess.CompletedProcess[str]) -> str:
    """Returns how a command ended and the end of what it printed, where the cause is.

    Of a whole run of the tests little may be kept, so one failure must not fill it.
    """
    streams = [(name, text) for name, text in _streams(done) if text]
    # Its first line stands for a failure where there is room for one.
    last = f": {streams[-1][1].splitlines()[-1][-200:]}" if streams else ""
    printed = (f"{name}:\n{_end(text)}" for name, text in streams)
    return "\n".join([f"exit code {done.returncode}{last}", *printed])


def run(command: Sequence[str], seconds: float, **more: Any) -> subprocess.CompletedProcess[str]:
    """Runs a command, and returns how it ended and what it printed.

    Args:
        command: The command.
        seconds: After which it is taken to hang; what it printed by then is told.
        more: As `subprocess.run` has it.
    """
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=seconds, **more
        )
    except subprocess.TimeoutExpired as late:
        printed = (_text(late.stdout), _text(late.stderr))
        shown = how_it_ended(subprocess.CompletedProcess(command, -1, *printed))
        called = " ".join(command[:4])
        raise AssertionError(f"`{called} …` hangs for {seconds:g} s: {shown}") from None


def succeeded(done: subprocess.CompletedProcess[str]) -> str:
    """Returns what a command printed that has to go well."""
    assert done.returncode == 0, how_it_ended(done)
    return done.stdout


def _streams(done: subprocess.CompletedProcess[str]) -> list[tuple[str, str]]:
    return [("stdout", (done.stdout or "").strip()), ("stderr", (done.stderr or "").strip())]


def _text(printed: str | bytes | None) -> str:
    """Of a command that was given up Python has bytes, whatever was asked for."""
    return printed.decode(errors="replace") if isinstance(printed, bytes) else printed or ""


def _end(text: str) -> str:
    lines = text.splitlines()
    end = "\n".join(lines[-_LINES:])
    shown = end[-_CHARACTERS:]
    return shown if shown == text else f"[…] {shown}"
