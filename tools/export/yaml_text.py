"""Objects as YAML that people read, and that every parser reads alike."""

from collections.abc import Iterable
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Writes texts so that Go's parser takes none for what PyYAML alone knows to be a text."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """Indents lists too, as kubectl's users are used to."""
        super().increase_indent(flow, indentless=False)


def _text(_: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if "\n" in text:
        style = "|"
    elif text[:1].isdigit() or text[:1] in ("+", "-", ".") or text in ("y", "Y", "n", "N"):
        style = '"'
    return yaml.ScalarNode("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def yaml_text(tree: Any) -> str:
    """Returns a tree as YAML, its keys in the given order, no line broken."""
    return yaml.dump(tree, Dumper=_Dumper, sort_keys=False, width=float("inf"), allow_unicode=True)


def documents(trees: Iterable[str]) -> str:
    """Returns texts of YAML as one file of several documents."""
    return "---\n".join(trees)
