"""The file with what `make up` found out about a stack's cluster."""

from pathlib import Path

from stack_settings.errors import SettingsError
from stack_settings.found import read_found

COMMAND = "make up"
FOUND = ".local/settings.<stack>.json"
"""Where `make up` writes what it found out for a stack, relative to the project."""
_BEFORE = Path(".local/settings.json")
"""One file for all stacks, as `make up` wrote it before."""


def found_file(stack: str) -> Path:
    """Returns the file with what `make up` found out for a stack, relative to the project."""
    return Path(FOUND.replace("<stack>", stack))


def found_for(root: Path, stack: str) -> object:
    """Returns what `make up` found out for a stack, None if it has not run.

    Args:
        root: The project's folder.
        stack: The stack.

    Raises:
        SettingsError: The file cannot be read, or is of a former kind.
    """
    found = read_found(root, found_file(stack), COMMAND)
    if found is None and (root / _BEFORE).exists():
        raise SettingsError(
            f"{_BEFORE} was written for all stacks together, and may be about another "
            "cluster; run `make up` once, which writes a file for each stack"
        )
    return found
