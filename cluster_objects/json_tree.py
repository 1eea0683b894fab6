"""JSON as the API server, Pulumi and other tools send it: reading what may not be there."""

from typing import Any, cast

Json = dict[str, Any]


def part(tree: object, *path: str) -> Json:
    """Returns the object at a path, or an empty one where there is none.

    Go writes `null` for an empty one.
    """
    found = _at(tree, path)
    return cast("Json", found) if isinstance(found, dict) else {}


def parts(tree: object, *path: str) -> list[Json]:
    """Returns the objects of the list at a path; none where there is no list."""
    found = _at(tree, path)
    items = cast("list[object]", found) if isinstance(found, list) else []
    return [cast("Json", it) for it in items if isinstance(it, dict)]


def _at(tree: object, path: tuple[str, ...]) -> object:
    for key in path:
        tree = cast("Json", tree).get(key) if isinstance(tree, dict) else None
    return tree
