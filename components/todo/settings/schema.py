"""Writes what follows from the settings: the stack files' JSON schema and docs/settings.md.

Run `python -m components.todo.settings.schema` after a change of the settings; a test checks that
it was done.
"""

import json
from pathlib import Path
from typing import Any, cast

from pydantic.json_schema import models_json_schema

from components.todo.secret_table import ALL_SECRETS, STORE_SECRETS, SecretDescription
from components.todo.settings.settings import Settings
from stack_settings.tables import settings_tables

ROOT = Path(__file__).parents[3]
SCHEMA = "settings.schema.json"
TABLE = "docs/settings.md"
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

Set each with `pulumi config set --secret todo:<name>`, which asks for the value or reads it from
`< file`, so that it is in no list of processes; `make up` sets the required ones once. They stay
in the stack's configuration when the stack is destroyed, as the data does.

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
                    **{it.config_key: {**secret, "description": _about(it)} for it in ALL_SECRETS},
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
    secrets = "\n".join(f"| `{it.config_key}` | {_about(it)} |" for it in ALL_SECRETS)
    return _HEAD + secrets + settings_tables(defs, "Settings") + "\n"


def _about(secret: SecretDescription) -> str:
    required = " Required with secrets.mode generated." if secret.required else ""
    stored = " Required where backups go to an object store." if secret in STORE_SECRETS else ""
    return secret.meaning + required + stored


def main() -> None:
    """Writes both files."""
    schema = json.dumps(stack_file_schema(), indent=2) + "\n"
    (ROOT / SCHEMA).write_text(schema, encoding="utf-8")
    (ROOT / TABLE).write_text(settings_table(), encoding="utf-8")


if __name__ == "__main__":
    main()
