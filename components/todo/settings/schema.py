"""Writes what follows from the settings: the stack files' JSON schema and docs/settings.md.

Run `python -m components.todo.settings.schema` after a change of the settings; a test checks that
it was done.
"""

import json
import re
from pathlib import Path
from typing import Any, cast

from pydantic.json_schema import models_json_schema

from components.todo.secret_table import SECRETS, SecretDescription
from components.todo.settings.settings import Settings

ROOT = Path(__file__).parents[3]
SCHEMA = "settings.schema.json"
TABLE = "docs/settings.md"
_OF_BLOCK = object()
_HEAD = """\
# Settings

<!-- Written by `python -m components.todo.settings.schema`; edit components/todo/settings. -->

All settings are in one key, `todo:settings`, in `Pulumi.<stack>.yaml`. `Pulumi.minikube.yaml` and
`Pulumi.cloud.yaml` are examples. A setting that is unknown, missing or out of range stops `pulumi`
before anything is changed, with one line that says where it is and what is allowed. Editors with a
YAML language server complete the settings from `settings.schema.json`.

A block that is given in part keeps the rest of its default; a block without `mode` has the mode of
its default. So `pulumi config set --path todo:settings.frontend.resources.memoryLimit 512Mi`
changes that one value.

On a local cluster (`cluster.kind: local`) the file `.local/settings.<stack>.json`, which `make up`
writes and git ignores, fills what the stack's settings leave open. It never replaces anything:
where both say something and differ, `pulumi` names both places and changes nothing.

## Secrets

Set each with `pulumi config set --secret todo:<name> <value>`; `make up` sets the required ones
once. They stay in the stack's configuration when the stack is destroyed, as the data does.

| secret | what it is |
| --- | --- |
"""


def stack_file_schema() -> dict[str, Any]:
    """Returns the JSON schema of a stack file."""
    _, schema = models_json_schema([(Settings, "validation")], by_alias=True)
    for model in schema["$defs"].values():
        for field in model["properties"].values():
            _complete(field, schema["$defs"])
    secret = {
        "type": "object",
        "properties": {"secure": {"type": "string"}},
        "required": ["secure"],
        "additionalProperties": False,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A stack of the Todo application",
        "type": "object",
        "properties": {
            "encryptionsalt": {"type": "string"},
            "encryptedkey": {"type": "string"},
            "secretsprovider": {"type": "string"},
            "config": {
                "type": "object",
                "properties": {
                    "todo:settings": {"$ref": "#/$defs/Settings"},
                    **{it.config_key: {**secret, "description": _about(it)} for it in SECRETS},
                },
                "patternProperties": {"^(?!todo:)": {}},
                "additionalProperties": False,
                "required": ["todo:settings"],
            },
        },
        "required": ["config"],
        "$defs": schema["$defs"],
    }


def _complete(field: dict[str, Any], defs: dict[str, Any]) -> None:
    """Lets a block leave open what its default has, as `Value` does."""
    default: Any = field.get("default")
    kinds: list[dict[str, Any]] = field.get("oneOf") or field.get("anyOf") or [field]
    for kind in (kind for kind in kinds if "$ref" in kind):
        model = defs[kind["$ref"].rsplit("/", 1)[-1]]
        mode = model["properties"].get("mode", {}).get("const")
        if isinstance(default, dict) and mode == cast("dict[str, Any]", default).get("mode"):
            required = [key for key in model.pop("required", []) if key not in default]
            model |= {"required": required} if required else {}
        elif mode:
            kind["required"] = ["mode"]


def settings_table() -> str:
    """Returns docs/settings.md."""
    defs = stack_file_schema()["$defs"]
    lines = [_HEAD + "\n".join(f"| `{it.config_key}` | {_about(it)} |" for it in SECRETS)]
    pending, done = ["Settings"], set[str]()
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
            if len(default) > 40:
                default = "see there"
            text = field.get("description", "").replace("|", "\\|")
            lines.append(f"\n| `{key}` | {_value(field)} | {default} | {text} |")
            pending.extend(_references(field))
    return "".join(lines) + "\n"


def _about(secret: SecretDescription) -> str:
    required = " Required with secrets.mode generated." if secret.required else ""
    return secret.meaning + required


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


def main() -> None:
    """Writes both files."""
    schema = json.dumps(stack_file_schema(), indent=2) + "\n"
    (ROOT / SCHEMA).write_text(schema, encoding="utf-8")
    (ROOT / TABLE).write_text(settings_table(), encoding="utf-8")


if __name__ == "__main__":
    main()
