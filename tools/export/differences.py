"""Templates from what stacks declare: the same stays as it is, the rest comes from the values."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from tools.export.nodes import (
    Block,
    Fixed,
    FromValues,
    IfEnabled,
    IfGiven,
    NamedItems,
    Node,
    collapsed,
)
from tools.export.values import Place, Values

_SETTINGS = frozenset(
    {
        *("image", "replicas", "resources", "schedule", "storageClassName", "nodePort"),
        *("minReplicas", "maxReplicas", "metrics"),
        *("hostnames", "parentRefs", "ingressClassName", "tls", "host"),
        *("secretStoreRef", "refreshInterval", "remoteRef"),
    }
)
"""Keys that are values also where the stacks agree: what people change first."""
_NO_SETTINGS = frozenset({("StatefulSet", "replicas")})
"""Of a kind: the database is one server."""
_Trees = Mapping[str, Any]
"""What stacks have at one place."""


def node(trees: _Trees, place: Place, values: Values) -> Node:
    """Returns what renders to each stack's tree with that stack's values.

    Args:
        trees: By stack, at least one.
        place: Where that is.
        values: Where what they differ in is put.
    """
    if all(isinstance(it, dict) for it in trees.values()):
        return _block(trees, place, values)
    if order := _order(trees):
        return _items(trees, order, place, values)
    return _leaf(trees, place, values)


def _leaf(trees: _Trees, place: Place, values: Values) -> Fixed | FromValues:
    first = next(iter(trees.values()))
    if all(it == first for it in trees.values()):
        return Fixed(tree=first)
    return FromValues(name=values.keep(place.names, trees))


def _block(trees: _Trees, place: Place, values: Values) -> Node:
    if not set[str].intersection(*(set(tree) for tree in trees.values())):
        # Of which nothing might be left, and that is no mapping in YAML.
        return _leaf(trees, place, values)
    keys = dict.fromkeys(key for tree in trees.values() for key in tree)
    entries = {key: _entry(key, trees, place.at(key), values) for key in keys}
    return collapsed(Block(entries=entries))


def _entry(key: str, trees: _Trees, place: Place, values: Values) -> Node:
    found = {stack: tree[key] for stack, tree in trees.items() if key in tree}
    if len(found) < len(trees):
        return _part(found, trees, place, values)
    if key in _SETTINGS and (place.kind, key) not in _NO_SETTINGS:
        return FromValues(name=values.keep(place.names, found))
    return node(found, place, values)


def _part(found: _Trees, trees: _Trees, place: Place, values: Values) -> Node:
    """Returns what some stacks have and others have not."""
    if any(isinstance(it, dict) for it in found.values()):
        enabled = {stack: stack in found for stack in trees}
        toggle = values.keep(place.at("enabled").names, enabled)
        return IfEnabled(name=toggle, node=node(found, place, values))
    given = values.keep(place.names, {stack: found.get(stack) for stack in trees})
    return IfGiven(name=given, node=FromValues(name=given))


def _items(trees: _Trees, order: Sequence[str], place: Place, values: Values) -> Node:
    named = {stack: {str(_name(it)): it for it in tree} for stack, tree in trees.items()}
    return collapsed(
        NamedItems(items=[_item(name, named, place.at(name), values) for name in order])
    )


def _item(name: str, named: Mapping[str, _Trees], place: Place, values: Values) -> Node:
    found = {stack: items[name] for stack, items in named.items() if name in items}
    if len(found) == len(named):
        return node(found, place, values)
    if all(it.keys() == {"name", "value"} for it in found.values()):
        said = {stack: found.get(stack, {}).get("value") for stack in named}
        given = values.keep(place.names, said)
        entries = {"name": Fixed(tree=name), "value": FromValues(name=given)}
        return IfGiven(name=given, node=Block(entries=entries))
    return _part(found, named, place, values)


def _order(trees: _Trees) -> list[str] | None:
    """Returns the names of all items of lists, in an order that is that of each.

    None where some have no name or two the same, or where lists order theirs in different ways.
    """
    merged: list[str] = []
    for tree in trees.values():
        if not isinstance(tree, list):
            return None
        names = [_name(it) for it in cast("list[object]", tree)]
        position = 0
        for name in names:
            if name is None:
                return None
            if name not in merged:
                merged.insert(position, name)
            position = merged.index(name) + 1
    own = ([_name(it) for it in tree] for tree in trees.values())
    in_order = all(names == [it for it in merged if it in names] for names in own)
    return merged if in_order else None


def _name(item: object) -> str | None:
    """Returns the name of an item that has more than that."""
    if not isinstance(item, dict):
        return None
    fields = cast("dict[str, Any]", item)
    named = fields if "name" in fields else fields.get("metadata", {})
    name = named.get("name")
    return name if isinstance(name, str) and len(fields) > 1 else None
