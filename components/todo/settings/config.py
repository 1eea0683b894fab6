"""Reads the stack's configuration, and what `make up` found out, into validated settings."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pulumi
import yaml
from pulumi.runtime import config as runtime_config
from pydantic import ValidationError

from components.todo.settings.errors import SettingsError, explain
from components.todo.settings.found import (
    FOUND,
    contradictions,
    fill,
    found_file,
    is_local,
    read_found,
)
from components.todo.settings.settings import Settings
from components.todo.settings.tree import get

_SECRETS = {
    "databasePassword": "openssl rand -hex 24",
    "jwtKey": "openssl rand -hex 32",
    "jwtNextKey": None,
    "jwtPreviousKey": None,
    "chatApiKey": None,
}


@dataclass(frozen=True, kw_only=True)
class SecretValues:
    """The secrets of a stack whose secrets are generated; always Pulumi secrets."""

    database_password: pulumi.Output[str]
    jwt_key: pulumi.Output[str]
    jwt_next_key: pulumi.Output[str] | None = None
    jwt_previous_key: pulumi.Output[str] | None = None
    chat_api_key: pulumi.Output[str] | None = None


@dataclass(frozen=True, kw_only=True)
class StackConfig:
    """All that a stack's configuration says."""

    settings: Settings
    secrets: SecretValues | None
    identity: str
    """Tells the stack from all others that deploy to the same cluster."""


def load_config(root: Path) -> StackConfig:
    """Returns the validated configuration of the selected stack.

    Args:
        root: The project's folder, with the stack's file and `.local/settings.<stack>.json`.

    Raises:
        SettingsError: Something is missing, unknown or out of range; the message says what is
            allowed.
    """
    config = pulumi.Config("todo")
    _refuse_unknown_keys()
    try:
        tree = config.get_object("settings")
    except pulumi.ConfigTypeError:
        tree = config.get("settings")
    if tree is None:
        raise SettingsError(
            f"todo:settings is missing in Pulumi.{pulumi.get_stack()}.yaml; "
            "copy it from Pulumi.minikube.yaml or Pulumi.cloud.yaml"
        )
    found = found_file(pulumi.get_stack())
    settings = parse_settings(tree, read_found(root, found), str(found))
    return StackConfig(
        settings=settings,
        secrets=_read_secrets(config, settings),
        identity=stack_identity(root / f"Pulumi.{pulumi.get_stack()}.yaml"),
    )


def stack_identity(path: Path) -> str:
    """Returns organization, project and stack, and what tells clones with those names apart.

    Pulumi Cloud has each full name once. With a state of one's own the organization is always
    `organization`, and each clone may have a stack `minikube`; but each has its own random salt, or
    an encrypted key, in the stack's file.

    Args:
        path: The stack's file.
    """
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    file: object = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else None
    random = get(file, "encryptionsalt") or get(file, "encryptedkey")
    return f"{name}/{hashlib.sha256(str(random).encode()).hexdigest()[:12]}" if random else name


def parse_settings(tree: object, found: object = None, found_in: str = FOUND) -> Settings:
    """Validates a settings tree, with what was found out for a local stack filled in.

    Args:
        tree: The value of `todo:settings`.
        found: What `make up` found out; ignored unless `cluster.kind` is `local`.
        found_in: The file with it, for messages.

    Raises:
        SettingsError: The tree is not valid, or says something else than what was found out.
    """
    if found is not None and is_local(tree):
        if lines := list(contradictions(tree, found, "todo:settings", found_in)):
            raise SettingsError("invalid settings\n" + "\n".join(f"  {line}" for line in lines))
        merged = fill(tree, found)
    else:
        merged, found = tree, None
    try:
        return Settings.model_validate(merged, by_alias=True, by_name=False, context="file")
    except ValidationError as error:
        lines = list(explain(error, merged, found, found_in))
    raise SettingsError("invalid settings\n" + "\n".join(f"  {line}" for line in lines))


def _refuse_unknown_keys() -> None:
    allowed = {"settings", *_SECRETS}
    # The SDK has no public way to list keys; these two are what Config.get itself reads.
    keys = {*runtime_config.CONFIG.get(), *runtime_config.get_config_env()}
    unknown = sorted(
        k for k in keys if k.startswith("todo:") and k.removeprefix("todo:") not in allowed
    )
    if unknown:
        known = ", ".join(f"todo:{key}" for key in ("settings", *_SECRETS))
        raise SettingsError(f"unknown configuration key {', '.join(unknown)}; allowed: {known}")


def _read_secrets(config: pulumi.Config, settings: Settings) -> SecretValues | None:
    if settings.secrets.mode == "external":
        return None
    values: dict[str, pulumi.Output[str] | None] = {}
    for key, generator in _SECRETS.items():
        present = config.get(key) if runtime_config.is_config_secret(f"todo:{key}") else None
        if present is None and (generator or runtime_config.get_config(f"todo:{key}") is not None):
            value = f'"$({generator})"' if generator else "<value>"
            state = "is not encrypted" if runtime_config.get_config(f"todo:{key}") else "is missing"
            raise SettingsError(
                f"the secret todo:{key} {state}; set it with: "
                f"pulumi config set --secret todo:{key} {value}"
            )
        values[key] = config.require_secret(key) if present else None
    return SecretValues(
        database_password=config.require_secret("databasePassword"),
        jwt_key=config.require_secret("jwtKey"),
        jwt_next_key=values["jwtNextKey"],
        jwt_previous_key=values["jwtPreviousKey"],
        chat_api_key=values["chatApiKey"],
    )
