"""Templates of Helm as text."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, assert_never

from tools.export.nodes import (
    Block,
    Fixed,
    FromValues,
    IfEnabled,
    IfGiven,
    Name,
    NamedItems,
    Node,
)
from tools.export.yaml_text import yaml_text

_INDENT = "  "


def template(node: Node, expressions: Mapping[str, str]) -> str:
    """Returns the template of one object.

    Args:
        node: What it is made of.
        expressions: Texts in it in whose place Helm puts something, with what it evaluates then.
    """
    if isinstance(node, IfEnabled | IfGiven):
        condition = _condition(node)
        return f"{{{{- if {condition} }}}}\n{template(node.node, expressions)}{{{{- end }}}}\n"
    return "---\n" + "".join(f"{line}\n" for line in _lines(node, expressions))


def static(tree: Any) -> str:
    """Returns YAML of which nothing is Helm's, whatever is in it."""
    return yaml_text(tree).replace("{{", '{{ "{{" }}')


def value(name: Name) -> str:
    """Returns how a template refers to a value."""
    if all(it.isidentifier() for it in name):
        return ".".join((".Values", *name))
    return f"(index .Values {' '.join(json.dumps(it) for it in name)})"


def _condition(node: IfEnabled | IfGiven) -> str:
    match node:
        case IfEnabled():
            return value(node.name)
        case IfGiven():
            return f'not (kindIs "invalid" {value(node.name)})'
        case _:
            assert_never(node)


def _lines(node: Node, expressions: Mapping[str, str]) -> Iterator[str]:
    """Yields the lines of what is no part of a line."""
    match node:
        case Fixed():
            text = static(node.tree)
            for found, expression in expressions.items():
                text = text.replace(found, f"{{{{ {expression} }}}}")
            yield from text.splitlines()
        case FromValues():
            yield f"{{{{ {value(node.name)} | toJson }}}}"
        case Block():
            for key, entry in node.entries.items():
                yield from _entry(key, entry, expressions)
        case NamedItems():
            for item in node.items:
                yield from _item(item, expressions)
        case IfEnabled() | IfGiven():
            yield f"{{{{- if {_condition(node)} }}}}"
            yield from _lines(node.node, expressions)
            yield "{{- end }}"
        case _:
            assert_never(node)


def _entry(key: str, node: Node, expressions: Mapping[str, str]) -> Iterator[str]:
    match node:
        case Fixed():
            yield from _lines(Fixed(tree={key: node.tree}), expressions)
        case FromValues():
            yield f"{_key(key)} {next(_lines(node, expressions))}"
        case Block() | NamedItems():
            yield _key(key)
            yield from map(_indented, _lines(node, expressions))
        case IfEnabled() | IfGiven():
            yield f"{{{{- if {_condition(node)} }}}}"
            yield from _entry(key, node.node, expressions)
            yield "{{- end }}"
        case _:
            assert_never(node)


def _item(node: Node, expressions: Mapping[str, str]) -> Iterator[str]:
    match node:
        case Fixed():
            yield from _lines(Fixed(tree=[node.tree]), expressions)
        case IfEnabled() | IfGiven():
            yield f"{{{{- if {_condition(node)} }}}}"
            yield from _item(node.node, expressions)
            yield "{{- end }}"
        case FromValues() | Block() | NamedItems():
            # The first is its name, which no condition is in front of.
            first, *more = _lines(node, expressions)
            yield f"- {first}"
            yield from map(_indented, more)
        case _:
            assert_never(node)


def _key(key: str) -> str:
    return yaml_text({key: None}).removesuffix(" null\n")


def _indented(line: str) -> str:
    # What is Helm's own stands where it stands: it takes the line's end before it away.
    return f"{_INDENT}{line}" if line and not line.startswith("{{-") else line
