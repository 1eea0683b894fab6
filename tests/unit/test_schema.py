"""The generated files are those of the settings, and the schema agrees with the parser."""

import json
from typing import Any

import jsonschema
import pytest
import yaml

from components.todo.settings import schema
from tests.programs import STACKS
from tests.recording import ROOT


@pytest.fixture(scope="module")
def current() -> dict[str, Any]:
    return schema.stack_file_schema()


def test_schema_is_current(current: dict[str, Any]) -> None:
    written = json.loads((ROOT / schema.SCHEMA).read_text(encoding="utf-8"))
    assert written == current, "run: python -m components.todo.settings.schema"


def test_table_is_current() -> None:
    written = (ROOT / schema.TABLE).read_text(encoding="utf-8")
    assert written == schema.settings_table(), "run: python -m components.todo.settings.schema"


@pytest.mark.parametrize("stack", STACKS)
def test_stack_files_fit_and_name_the_schema(stack: str, current: dict[str, Any]) -> None:
    text = (ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    jsonschema.validate(yaml.safe_load(text), current)
    assert text.startswith(f"# yaml-language-server: $schema={schema.SCHEMA}\n")


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"todo:settings": {"cluster": {"kind": "moon"}, "images": {"mode": "load"}}},
        {"todo:settings": {"cluster": {"kind": "local"}}},
        {"todo:settings": {"cluster": {"kind": "local"}, "images": {"mode": "load"}, "x": 1}},
        {
            "todo:settings": {"cluster": {"kind": "local"}, "images": {"mode": "load"}},
            "todo:jwtKey": "plain",
        },
        {
            "todo:settings": {"cluster": {"kind": "local"}, "images": {"mode": "load"}},
            "todo:unknown": 1,
        },
    ],
)
def test_schema_refuses(config: dict[str, Any], current: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"config": config}, current)
