"""The file with what `make addons` found out: the cluster, and what this machine has built."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from stack_settings.found import read_found
from stack_settings.tree import get

COMMAND = "make addons"
FOUND = ".local/settings.addons.<stack>.json"
"""Where `make addons` writes what it found out for a stack, relative to the repository."""


def found_file(stack: str) -> Path:
    """Returns the file with what `make addons` found out, relative to the repository."""
    return Path(FOUND.replace("<stack>", stack))


def found_for(root: Path, stack: str) -> object:
    """Returns what `make addons` found out for a stack, None if it has not run.

    Args:
        root: The repository's folder.
        stack: The stack.

    Raises:
        SettingsError: The file cannot be read.
    """
    return read_found(root, found_file(stack), COMMAND)


def of_chosen(found: object, tree: object) -> object:
    """Returns what was found out about the parts that are still chosen.

    It would install the others by filling in what the stack file leaves open.
    """
    if not isinstance(found, Mapping):
        return found
    blocks = cast("Mapping[str, object]", found)
    return {key: block for key, block in blocks.items() if get(tree, key) is not None}
