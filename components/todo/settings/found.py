"""What `make up` found out about the cluster: it fills what the stack file leaves open."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from components.todo.settings.errors import SettingsError
from components.todo.settings.left_open import is_left_open
from components.todo.settings.tree import get

FOUND = ".local/settings.<stack>.json"
"""Where `make up` writes what it found out for a stack, relative to the project."""
_BEFORE = Path(".local/settings.json")
"""One file for all stacks, as `make up` wrote it before."""


def found_file(stack: str) -> Path:
    """Returns the file with what `make up` found out for a stack, relative to the project."""
    return Path(FOUND.replace("<stack>", stack))


def fill(tree: object, found: object) -> object:
    """Fills what a tree leaves open, deeply; a block of another `mode` is left as it is."""
    if not isinstance(tree, Mapping) or not isinstance(found, Mapping):
        return cast("object", tree)
    given, more = cast("Mapping[str, object]", tree), cast("Mapping[str, object]", found)
    if "mode" in given and "mode" in more and given["mode"] != more["mode"]:
        return given
    left_open = {key: value for key, value in more.items() if is_left_open(key, given.get(key))}
    return {**{key: fill(value, more.get(key)) for key, value in given.items()}, **left_open}


def contradictions(tree: object, found: object, where: str, found_in: str) -> Iterator[str]:
    """Yields a sentence for each value that the stack file and `make up` say differently."""
    if isinstance(tree, Mapping) and isinstance(found, Mapping):
        given, more = cast("Mapping[str, object]", tree), cast("Mapping[str, object]", found)
        modes = given.get("mode"), more.get("mode")
        keys = ["mode"] if None not in modes and modes[0] != modes[1] else [*more]
        for key in keys:
            if not is_left_open(key, given.get(key)):
                yield from contradictions(given[key], more[key], f"{where}.{key}", found_in)
    elif tree != found:
        yield (
            f"{where} is {tree!r} in the stack file, but {found!r} in {found_in}, where `make up` "
            "wrote what it found out; run `make up`, which looks again and lets the stack file win"
        )


def is_local(tree: object) -> bool:
    """Tells whether a settings tree names a cluster on this machine."""
    return get(get(tree, "cluster"), "kind") == "local"


def read_found(root: Path, file: Path) -> object:
    """Returns what `make up` found out, None if it has not run.

    Args:
        root: The project's folder.
        file: See found_file.

    Raises:
        SettingsError: The file cannot be read, or is of a former kind.
    """
    try:
        return json.loads((root / file).read_text(encoding="utf-8"))
    except FileNotFoundError:
        if (root / _BEFORE).exists():
            raise SettingsError(
                f"{_BEFORE} was written for all stacks together, and may be about another "
                "cluster; run `make up` once, which writes a file for each stack"
            ) from None
        return None
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{file} cannot be read as JSON ({error}); delete it and run `make up` again"
        ) from None
