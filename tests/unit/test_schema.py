"""The generated files are those of the settings, and the schema agrees with the parser."""

import json
import subprocess
import sys
from typing import Any

import jsonschema
import pytest
import yaml

from components.todo.secret_table import JWT_NEXT_KEY, POD_SECRETS
from components.todo.settings import schema
from components.todo.settings.secrets import SecretKeys
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


def test_an_external_store_has_a_place_for_each_secret() -> None:
    places = SecretKeys.model_fields
    assert [it.alias for it in places.values()] == [secret.name for secret in POD_SECRETS]
    for secret in POD_SECRETS:
        assert places[secret.field].is_required() == secret.required


def test_a_secret_has_one_name_in_each_spelling() -> None:
    it = JWT_NEXT_KEY
    assert (it.name, it.config_key) == ("jwtNextKey", "todo:jwtNextKey")
    assert (it.field, it.file, it.variable) == ("jwt_next_key", "jwt-next-key", "JWT_NEXT_KEY_FILE")


def test_the_table_of_secrets_can_be_read_before_anything_is_installed() -> None:
    program = "import components.todo.secret_table, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert not {"pulumi", "pydantic", "yaml"} & set(done.stdout.split())
