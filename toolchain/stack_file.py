"""Takes a forgotten stack's salt and generated secrets out of its file.

Runs in the project's `.venv`.
"""

import json
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import yaml

from toolchain import whole_file

_SALT = "encryptionsalt"


def forget(text: str, generated: Collection[str]) -> tuple[str, list[str]]:
    """Removes what only the forgotten stack needed; every other line stays as it is.

    The salt opens with one passphrase only, so with it in the file a stack made anew would need the
    old one. It stays for as long as a person's own secrets are encrypted with it.

    Args:
        text: The stack file.
        generated: Configuration keys that `make up` generates.

    Returns:
        The text without them, and the keys of the secrets that are left.
    """
    root = yaml.compose(text)
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        return text, []
    config = _value(root, "config")
    pairs: list[tuple[yaml.Node, yaml.Node]] = []
    if isinstance(config, yaml.MappingNode) and not config.flow_style:
        pairs = config.value
    own = [str(key.value) for key, value in pairs if _secret(value) and key.value not in generated]
    gone = [pair for pair in pairs if pair[0].value in generated and _secret(pair[1])]
    if not own:
        gone += [pair for pair in root.value if pair[0].value == _SALT]
    dropped = {line for key, value in gone for line in _lines(key, value)}
    kept = [line for n, line in enumerate(text.splitlines(keepends=True)) if n not in dropped]
    return "".join(kept), own


def _value(mapping: yaml.MappingNode, name: str) -> yaml.Node | None:
    return next((value for key, value in mapping.value if key.value == name), None)


def _secret(node: yaml.Node) -> bool:
    """Returns whether there is an encrypted value in it (`secure: …`), at any depth."""
    if isinstance(node, yaml.MappingNode):
        return any(key.value == "secure" or _secret(value) for key, value in node.value)
    return isinstance(node, yaml.SequenceNode) and any(map(_secret, node.value))


def _lines(key: yaml.Node, value: yaml.Node) -> Iterator[int]:
    # A block ends where the next key begins; what is before that, comments too, belongs to the
    # next.
    while isinstance(value, yaml.MappingNode | yaml.SequenceNode) and not value.flow_style:
        value = value.value[-1][1] if isinstance(value, yaml.MappingNode) else value.value[-1]
    end = value.end_mark
    behind = end.column == 0 and end.line > key.start_mark.line
    yield from range(key.start_mark.line, end.line + (0 if behind else 1))


def main(stack_file: str, *generated: str) -> int:
    """Rewrites the file, and prints the secrets that are left as JSON."""
    file = Path(stack_file)
    before = file.read_bytes().decode()  # with the ends that its lines have
    after, own = forget(before, generated)
    if after != before:
        whole_file.replace(file, after)
    print(json.dumps(own))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
