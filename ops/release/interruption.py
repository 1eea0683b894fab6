"""What somebody reads who ends a release before its end: how things stand, and how it goes on."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from cluster_objects import cut_off
from console.failure import ExitCode, Failure
from ops.pulumi_stack import PulumiStack

_PROCESSES = Path("/proc/self/ns/pid")
"""Whose processes are seen here."""
_ALL_OF_THE_MACHINE = "pid:[4026531836]"
"""The first one's, outside all containers (PROC_PID_INIT_INO in Linux' proc_ns.h)."""


@contextmanager
def interruptible(stands: str) -> Generator[None]:
    """Turns Ctrl-C in a block, or what tells the process to end, into a sentence.

    Args:
        stands: How things stand then, and how it goes on.

    Raises:
        Failure: The block was interrupted.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise Failure(f"Interrupted {stands}.", ExitCode.INTERRUPTED) from None


def take_over(pulumi: PulumiStack) -> None:
    """Lets go of the lock of an update that was killed on this machine.

    Pulumi's other backends look after theirs. In a container a process that is not there may be
    another container's, so there a folder of somebody's own is left alone.

    Args:
        pulumi: The stack.

    Raises:
        Failure: Another update holds a lock.
    """
    stack = pulumi.name.rsplit("/", 1)[-1]  # which also makes the project's environment our own
    folder = cut_off.folder_of(os.environ.get("PULUMI_BACKEND_URL", ""))
    if folder is None:
        return
    if folder.is_relative_to(pulumi.project) or _sees_all_processes():
        cut_off.release_locks(folder, stack)
    if holder := cut_off.held_by(folder, pulumi.project_name, stack):
        raise Failure(cut_off.another_update(holder), ExitCode.UNREACHABLE)


def _sees_all_processes() -> bool:
    # Where there is none there are no containers of its kind either.
    return not _PROCESSES.is_symlink() or str(_PROCESSES.readlink()) == _ALL_OF_THE_MACHINE
