"""Reads the stack's configuration, with what `make up` found out, in a run of Pulumi."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

import pulumi
from pulumi.runtime import config as runtime_config

from components.cluster.stack_identity import stack_identity
from components.todo.names import PROJECT
from components.todo.secret_table import SECRETS, SecretDescription
from components.todo.settings.errors import SettingsError
from components.todo.settings.found import found_file, read_found
from components.todo.settings.parse import parse_settings
from components.todo.settings.secrets import ExternalSecrets, GeneratedSecrets
from components.todo.settings.settings import Settings

SecretValues = Mapping[str, pulumi.Output[str]]
"""The secrets that are set, by their names (secret_table.py); always Pulumi secrets."""


@dataclass(frozen=True, kw_only=True)
class StackConfig:
    """All that a stack's configuration says."""

    settings: Settings
    secrets: SecretValues | None
    """None: an external store has them."""
    identity: str
    """Tells the stack from all others that deploy to the same cluster."""


def load_config(root: Path) -> StackConfig:
    """Returns the validated configuration of the selected stack.

    Args:
        root: The project's folder, with the stack's file and `.local/settings.<stack>.json`.

    Raises:
        pulumi.RunError: Something is missing, unknown or out of range; the message, which Pulumi
            prints alone, says what is allowed.
    """
    try:
        return _load(root)
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None


def _load(root: Path) -> StackConfig:
    config = pulumi.Config(PROJECT)
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


def _refuse_unknown_keys() -> None:
    allowed = ("todo:settings", *(secret.config_key for secret in SECRETS))
    # The SDK has no public way to list keys; these two are what Config.get itself reads.
    keys = {*runtime_config.CONFIG.get(), *runtime_config.get_config_env()}
    unknown = sorted(key for key in keys if key.startswith("todo:") and key not in allowed)
    if unknown:
        raise SettingsError(
            f"unknown configuration key {', '.join(unknown)}; allowed: {', '.join(allowed)}"
        )


def _read_secrets(config: pulumi.Config, settings: Settings) -> SecretValues | None:
    match settings.secrets:
        case ExternalSecrets():
            return None
        case GeneratedSecrets():
            values = {secret.name: _read_secret(config, secret) for secret in SECRETS}
            return {name: value for name, value in values.items() if value is not None}
        case _:
            assert_never(settings.secrets)


def _read_secret(config: pulumi.Config, secret: SecretDescription) -> pulumi.Output[str] | None:
    plain = runtime_config.get_config(secret.config_key)
    if runtime_config.is_config_secret(secret.config_key) and plain:
        return config.require_secret(secret.name)
    if not plain and not secret.required:
        return None
    value = f'"$({secret.generate})"' if secret.generate else "<value>"
    raise SettingsError(
        f"the secret {secret.config_key} {'is not encrypted' if plain else 'is missing'}; set it "
        f"with: pulumi config set --secret {secret.config_key} {value}"
    )
