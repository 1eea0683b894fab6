"""What an update leaves behind that was killed: its lock, and what Pulumi does not know.

A state in a folder has its locks there, a file each with the process that holds it
(https://github.com/pulumi/pulumi/blob/master/pkg/backend/diy/lock.go).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from cluster_objects.json_tree import Json, part, parts

_FOLDER = "file://"


def folder_of(backend: str) -> Path | None:
    """Returns where a backend of Pulumi keeps its states; None: in no folder of this machine.

    Args:
        backend: Its address, as `PULUMI_BACKEND_URL` has it.
    """
    if not backend.startswith(_FOLDER):
        return None
    return Path(backend.removeprefix(_FOLDER)).expanduser()


def was_cut_off(export: Json | None) -> bool:
    """Returns whether an update ended before Pulumi knew what it had changed.

    Then the state may be wrong.

    Args:
        export: The stack's state, as `pulumi stack export` prints it; None: there is no stack.
    """
    return bool(parts(export, "deployment", "pending_operations"))


def release_locks(folder: Path, stack: str) -> bool:
    """Removes the locks of updates here whose process is gone (killed, power lost).

    Args:
        folder: Where the states are.
        stack: The stack's name.

    Returns:
        Whether there was one.
    """
    stale = [file for file, holder in _locks(folder, stack) if _is_gone(holder)]
    for file in stale:
        file.unlink(missing_ok=True)
    return bool(stale)


def held_by(folder: Path, project: str, stack: str) -> str | None:
    """Returns who holds a lock of a stack, as a person would name it; None: nobody does.

    Args:
        folder: Where the states are.
        project: The project's name: stacks of two projects may have one name.
        stack: The stack's name.
    """
    for file, holder in _locks(folder, stack):
        if holder and file.parent.parent.name == project:
            user, host = holder.get("username"), holder.get("hostname")
            return f"process {holder.get('pid')} of {user} on {host}"
    return None


def another_update(holder: str | None = None, stack: str | None = None) -> str:
    """Returns what people are told whose stack another update has locked.

    Args:
        holder: Who holds the lock; None: Pulumi's backend did not say.
        stack: The stack's name; None: the one that they have named.
    """
    of = f"stack {stack}" if stack else "this stack"
    by = f" ({holder})" if holder else ""
    return (
        f"Another update of {of} is running{by}; wait for its end and run this again, or, if there "
        "is no such process any more, run pulumi cancel first."
    )


def _locks(folder: Path, stack: str) -> Iterator[tuple[Path, Json]]:
    """Yields the files, and what each says; nothing where that cannot be read."""
    for file in sorted((folder / ".pulumi" / "locks").rglob(f"{stack}/*.json")):
        try:
            tree: object = json.loads(file.read_text())
        except (OSError, ValueError):
            tree = None
        yield file, part({"holder": tree}, "holder")


def _is_gone(holder: Json) -> bool:
    """Returns whether the process was one of this machine, and is there no more.

    Of what says nothing nobody knows whose it is: Pulumi says that the stack is locked, and how to
    go on.
    """
    process = holder.get("pid")
    if holder.get("hostname") != os.uname().nodename or not isinstance(process, int):
        return False
    try:
        os.kill(process, 0)  # only asks
    except ProcessLookupError:
        return True
    except OSError:
        return False  # somebody else's
    return _has_ended(process)


def _has_ended(process: int) -> bool:
    """Returns whether a process is but waited for by nobody: what runs in a container may not.

    Where the system has no `/proc`, nobody knows.
    """
    try:
        stat = Path("/proc", str(process), "stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] == "Z"
