"""Runs a tool's long command into its log, and says of a failure what the tool itself says of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from toolchain import ui
from toolchain.providers import theirs

_REASONS = (
    r"Error response from daemon: (.+)",  # Docker, by kind, k3d and Minikube
    r"Exiting due to (.+)",  # Minikube, followed by advice in a frame
    r"FATA\[\d+\] (.+)",  # k3d, followed by nothing or by what it rolls back
    r"^ERROR: (.+)",  # kind, followed by a whole command's output
)
"""Where a reason stands in a log, the most telling first."""
_TAKEN = re.compile(r"port is already allocated|address already in use")


def run(command: Sequence[str], *, log: Path, what: str, hint: str = "") -> None:
    """Run a command as `ui.run` does, in the person's own environment.

    Raises:
        Failure: It failed; the sentence has the tool's reason and names the log.
    """
    before = log.stat().st_size if log.exists() else 0
    try:
        ui.run(command, log=log, what=what, env=theirs.environment(), hint=hint)
    except ui.Failure as failure:
        reason = _reason(log, before)
        if reason is None:
            raise
        if _TAKEN.search(reason):
            hint = "free that port, or remove what was made so far, and run again"
        raise ui.Failure(
            f"{what} failed: {reason[:300]} — {hint or 'put that right and run again'} (log: {log})."
        ) from failure


def _reason(log: Path, before: int) -> str | None:
    try:
        text = log.read_bytes()[before:].decode(errors="replace")
    except OSError:
        return None
    for pattern in _REASONS:
        if found := re.findall(pattern, text, re.MULTILINE):
            return str(found[-1]).strip().rstrip(".")
    return None
