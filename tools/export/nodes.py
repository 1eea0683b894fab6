"""What a template is made of: what stays the same, and what the values say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Name = tuple[str, ...]
"""A value's place below `.Values`."""


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """The same in every stack."""

    tree: Any


@dataclass(frozen=True, kw_only=True)
class FromValues:
    """What a value says."""

    name: Name


@dataclass(frozen=True, kw_only=True)
class IfGiven:
    """Only where a value is not null."""

    name: Name
    node: "Node"


@dataclass(frozen=True, kw_only=True)
class IfEnabled:
    """Only where a value is true."""

    name: Name
    node: "Node"


@dataclass(frozen=True, kw_only=True)
class Block:
    """A mapping, of which something is not fixed."""

    entries: Mapping[str, "Node"]


@dataclass(frozen=True, kw_only=True)
class NamedItems:
    """A list of mappings with names, of which something is not fixed."""

    items: Sequence["Node"]


Node = Fixed | FromValues | IfGiven | IfEnabled | Block | NamedItems


def collapsed(node: Block | NamedItems) -> Block | NamedItems | Fixed:
    """Returns a node as fixed if all is that is in it."""
    match node:
        case Block(entries=entries):
            if all(isinstance(it, Fixed) for it in entries.values()):
                return Fixed(
                    tree={k: it.tree for k, it in entries.items() if isinstance(it, Fixed)}
                )
        case NamedItems(items=items):
            if all(isinstance(it, Fixed) for it in items):
                return Fixed(tree=[it.tree for it in items if isinstance(it, Fixed)])
    return node
