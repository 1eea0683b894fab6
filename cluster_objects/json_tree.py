"""JSON as the API server and Pulumi send it: reading what may not be there."""

from typing import Any, cast

Json = dict[str, Any]


def part(tree: object, *path: str) -> Json:
    """Returns the object at a path, or an empty one where there is none."""
    found = _at(tree, path)
    return cast("Json", found) if isinstance(found, dict) else {}


def parts(tree: object, *path: str) -> list[Json]:
    """Returns the list of objects at a path, or an empty one where there is none."""
    found = _at(tree, path)
    return cast("list[Json]", found) if isinstance(found, list) else []


def _at(tree: object, path: tuple[str, ...]) -> object:
    for key in path:
        tree = cast("Json", tree).get(key) if isinstance(tree, dict) else None
    return tree
