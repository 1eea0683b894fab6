"""Runs a tool's long command into its log; a failure says what the tool says of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from console.failure import Failure
from toolchain import ui
from toolchain.providers import user_environment

_TAKEN = ("port is already allocated", "address already in use")
_AS_ROOT = "DRV_AS_ROOT"
"""Minikube's refusal (https://minikube.sigs.k8s.io/docs/drivers/docker/#requirements)."""


def run(command: Sequence[str], *, log: Path, what: str, hint: str = "", remove: str = "") -> None:
    """Runs a command as `ui.run` does, in the person's own environment.

    Args:
        command: The command.
        log: Where all that it says goes.
        what: What it does, as the beginning of a sentence.
        hint: What to do when it fails for a reason that nothing better is known about.
        remove: The command that removes what it makes.

    Raises:
        Failure: It failed; the sentence has the tool's reason and names the log.
    """
    before = log.stat().st_size if log.exists() else 0
    try:
        ui.run(command, log=log, what=what, env=user_environment.environment(), hint=hint)
    except Failure as failure:
        reason = user_environment.reason_in(log.read_bytes()[before:].decode(errors="replace"))
        if reason is None:
            raise
        if any(word in reason for word in _TAKEN):
            hint = "free that port and run again"
            hint += f", or first remove the cluster and its data with `{remove}`" if remove else ""
        elif _AS_ROOT in reason:
            hint = (
                "run `make up` as an ordinary user of the docker group, or make it with "
                "`minikube start --force`"
            )
        raise Failure(
            f"{what} failed: {reason[:300]} — {hint or 'put that right and run again'} (log: "
            f"{log})."
        ) from failure
