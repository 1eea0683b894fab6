"""Tables of settings for people, made of their JSON schema."""

import json
import re
from typing import Any

_OF_BLOCK = object()


def settings_tables(defs: dict[str, Any], root: str) -> str:
    """Returns a heading and a table for a model and each that it refers to.

    Args:
        defs: The schema of each model, by its name.
        root: The model to begin with.
    """
    lines, pending, done = list[str](), [root], set[str]()
    while pending:
        name = pending.pop(0)
        if name in done:
            continue
        done.add(name)
        model = defs[name]
        lines.append(f"\n\n## {name}\n\n{model.get('description', '')}\n")
        lines.append("\n| setting | value | default | |\n| --- | --- | --- | --- |")
        required = model.get("required", [])
        for key, field in model["properties"].items():
            default = "required" if key in required else _code(field.get("default", _OF_BLOCK))
            if len(default) > 40 and _references(field):
                default = "see there"
            text = field.get("description", "").replace("|", "\\|")
            lines.append(f"\n| `{key}` | {_value(field)} | {default} | {text} |")
            pending.extend(_references(field))
    return "".join(lines)


def _references(field: Any) -> list[str]:
    """Returns the names of the models that a field's schema refers to, at any depth."""
    return [name.rsplit("/", 1)[-1] for name in re.findall(r'"#/[$]defs/\w+', json.dumps(field))]


def _value(field: dict[str, Any]) -> str:
    names = list(dict.fromkeys(_references({k: v for k, v in field.items() if k != "default"})))
    if names:
        return " or ".join(f"[{name}](#{name.lower()})" for name in names)
    for kind in [field, *field.get("anyOf", [])]:
        if "const" in kind:
            return _code(kind["const"])
        if "enum" in kind:
            return ", ".join(_code(value) for value in kind["enum"])
        if "maximum" in kind:
            return f"{kind['minimum']} to {kind['maximum']}"
    kinds = [it.get("type", "") for it in [field, *field.get("anyOf", [])]]
    # A text may also be written as a number; that is for editors to know.
    names = [str("string" if isinstance(kind, list) else kind) for kind in kinds]
    return " or ".join(name for name in names if name not in ("", "null"))


def _code(value: Any) -> str:
    if value is None:
        return "none"
    if value is _OF_BLOCK:
        return "its block's"
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value)}`"
