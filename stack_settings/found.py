"""What set-up found out about the cluster: it fills what the stack file leaves open."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from stack_settings.errors import SettingsError
from stack_settings.left_open import is_left_open
from stack_settings.tree import get


def fill(tree: object, found: object) -> object:
    """Fills what a tree leaves open, deeply; a block of another `mode` is left as it is."""
    if not isinstance(tree, Mapping) or not isinstance(found, Mapping):
        return cast("object", tree)
    given, more = cast("Mapping[str, object]", tree), cast("Mapping[str, object]", found)
    if "mode" in given and "mode" in more and given["mode"] != more["mode"]:
        return given
    left_open = {key: value for key, value in more.items() if is_left_open(key, given.get(key))}
    return {**{key: fill(value, more.get(key)) for key, value in given.items()}, **left_open}


def contradictions(
    tree: object, found: object, where: str, found_in: str, command: str
) -> Iterator[str]:
    """Yields a sentence for each value that the stack file and set-up say differently.

    Args:
        tree: What the stack file says.
        found: What set-up found out.
        where: The configuration key, or the path of a block in it.
        found_in: The file with what was found out.
        command: The command that finds it out, such as `make up`.
    """
    if isinstance(tree, Mapping) and isinstance(found, Mapping):
        given, more = cast("Mapping[str, object]", tree), cast("Mapping[str, object]", found)
        modes = given.get("mode"), more.get("mode")
        keys = ["mode"] if None not in modes and modes[0] != modes[1] else [*more]
        for key in keys:
            if not is_left_open(key, given.get(key)):
                at = f"{where}.{key}"
                yield from contradictions(given[key], more[key], at, found_in, command)
    elif tree != found:
        yield (
            f"{where} is {tree!r} in the stack file, but {found!r} in {found_in}, where "
            f"`{command}` wrote what it found out; run `{command}`, which looks again and lets "
            "the stack file win"
        )


def is_local(tree: object) -> bool:
    """Tells whether a settings tree names a cluster on this machine."""
    return get(get(tree, "cluster"), "kind") == "local"


def read_found(root: Path, file: Path, command: str) -> object:
    """Returns what set-up found out, None if it has not run.

    Args:
        root: The repository's folder.
        file: The file, relative to it.
        command: The command that writes it, such as `make up`.

    Raises:
        SettingsError: The file cannot be read.
    """
    try:
        return json.loads((root / file).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{file} cannot be read as JSON ({error}); delete it and run `{command}` again"
        ) from None
