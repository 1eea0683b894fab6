"""Steps into a tree of plain values, as YAML and JSON have them."""

from collections.abc import Mapping, Sequence
from typing import cast


def get(tree: object, step: int | str) -> object:
    """Returns what is at a key or an index, or None."""
    if isinstance(tree, Mapping):
        return cast("Mapping[int | str, object]", tree).get(step)
    if isinstance(tree, list) and isinstance(step, int):
        items = cast("list[object]", tree)
        return items[step] if step < len(items) else None
    return None


def has(tree: object, step: int | str) -> bool:
    """Tells whether there is something at a key, or could be at an index."""
    if isinstance(tree, Mapping):
        return step in tree
    return isinstance(tree, list) and isinstance(step, int)


def holds(tree: object, path: Sequence[int | str]) -> bool:
    """Tells whether all keys of a path are there, one in the other."""
    for step in path:
        if not isinstance(tree, Mapping) or step not in tree:
            return False
        tree = get(cast("object", tree), step)
    return bool(path)
