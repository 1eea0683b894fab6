"""Runs a tool's long command into its log, and says of a failure what the tool itself says of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from toolchain import ui
from toolchain.providers import theirs

_HINTS = {
    "port is already allocated": "free that port, or remove what was made so far, and run again",
    "address already in use": "free that port, or remove what was made so far, and run again",
    # Minikube's docker and podman drivers (https://minikube.sigs.k8s.io/docs/drivers/docker/)
    "DRV_AS_ROOT": "run `make up` as an ordinary user of the docker group, or make the profile with "
    "`minikube start --force`",
}
"""What to do about a reason that the tool's caller cannot know."""


def run(command: Sequence[str], *, log: Path, what: str, hint: str = "") -> None:
    """Run a command as `ui.run` does, in the person's own environment.

    Raises:
        Failure: It failed; the sentence has the tool's reason and names the log.
    """
    before = log.stat().st_size if log.exists() else 0
    try:
        ui.run(command, log=log, what=what, env=theirs.environment(), hint=hint)
    except ui.Failure as failure:
        reason = theirs.reason_in(log.read_bytes()[before:].decode(errors="replace"))
        if reason is None:
            raise
        known = next((text for word, text in _HINTS.items() if word in reason), None)
        raise ui.Failure(
            f"{what} failed: {reason[:300]} — {known or hint or 'put that right and run again'} (log: {log})."
        ) from failure
