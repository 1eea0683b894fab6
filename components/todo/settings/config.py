"""Reads the stack's configuration, with what `make up` found out, in a run of Pulumi."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

import pulumi
from pulumi.runtime import config as runtime_config

from cluster_objects.database_move import CONFIG_KEY
from components.cluster.stack_identity import stack_identity
from components.image.signing import SigningKey
from components.todo.moving import refuse_half_moved, refuse_other_mode
from components.todo.names import PROJECT
from components.todo.secret_table import (
    ALL_SECRETS,
    SECRETS,
    SIGNING_KEY,
    SIGNING_PASSWORD,
    SecretDescription,
)
from components.todo.settings.database import store_secrets
from components.todo.settings.found import found_file, found_for
from components.todo.settings.images import (
    LoadedImages,
    PrebuiltImages,
    RegistryImages,
    SignatureSettings,
)
from components.todo.settings.parse import parse_settings
from components.todo.settings.secrets import ExternalSecrets, GeneratedSecrets
from components.todo.settings.settings import Settings
from stack_settings.configuration import refuse_unknown_keys, settings_tree
from stack_settings.errors import SettingsError

SecretValues = Mapping[str, pulumi.Output[str]]
"""The secrets that are set, by their names (secret_table.py); always Pulumi secrets."""


@dataclass(frozen=True, kw_only=True)
class StackConfig:
    """All that a stack's configuration says."""

    settings: Settings
    secrets: SecretValues | None
    """None: an external store has them."""
    signing_key: pulumi.Output[SigningKey] | None
    """None: no image is signed here."""
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
    secrets = (it.config_key for it in ALL_SECRETS)
    refuse_unknown_keys(PROJECT, ("todo:settings", *secrets, CONFIG_KEY))
    refuse_half_moved(runtime_config.get_config(CONFIG_KEY))
    tree = settings_tree(PROJECT)
    if tree is None:
        raise SettingsError(
            f"todo:settings is missing in Pulumi.{pulumi.get_stack()}.yaml; "
            "copy it from Pulumi.minikube.yaml or Pulumi.cloud.yaml"
        )
    stack = pulumi.get_stack()
    settings = parse_settings(tree, found_for(root, stack), str(found_file(stack)))
    refuse_other_mode(settings.database.mode)
    return StackConfig(
        settings=settings,
        secrets=_read_secrets(config, settings),
        signing_key=_read_signing_key(config, settings),
        identity=stack_identity(root / f"Pulumi.{pulumi.get_stack()}.yaml"),
    )


def _read_secrets(config: pulumi.Config, settings: Settings) -> SecretValues | None:
    match settings.secrets:
        case ExternalSecrets():
            return None
        case GeneratedSecrets():
            values = {it.name: _read_secret(config, it, needed=it.required) for it in SECRETS}
            wanted = store_secrets(settings.database)
            values |= {it.name: _read_secret(config, it, needed=True) for it in wanted}
            return {name: value for name, value in values.items() if value is not None}
        case _:
            assert_never(settings.secrets)


def _read_signing_key(
    config: pulumi.Config, settings: Settings
) -> pulumi.Output[SigningKey] | None:
    match settings.images:
        case RegistryImages(signature=SignatureSettings()):
            private = _read_secret(config, SIGNING_KEY, needed=False)
            if private is None:
                raise SettingsError(
                    f"images.signature needs the secret {SIGNING_KEY.config_key}: run `make "
                    f"signing-key STACK={pulumi.get_stack()}`, or set what belongs to publicKey "
                    f"with: pulumi config set --secret {SIGNING_KEY.config_key} < cosign.key"
                )
            password = _read_secret(config, SIGNING_PASSWORD, needed=False)
            return pulumi.Output.all(private, "" if password is None else password).apply(
                lambda it: SigningKey(private=it[0], password=it[1])
            )
        case LoadedImages() | RegistryImages() | PrebuiltImages():
            return None
        case _:
            assert_never(settings.images)


def _read_secret(
    config: pulumi.Config, secret: SecretDescription, *, needed: bool
) -> pulumi.Output[str] | None:
    plain = runtime_config.get_config(secret.config_key)
    if runtime_config.is_config_secret(secret.config_key) and plain:
        return config.require_secret(secret.name)
    if not plain and not needed:
        return None
    # What others have made is asked for: on a command line others could see it.
    value = f' "$({secret.generate})"' if secret.generate else ", which asks for its value"
    raise SettingsError(
        f"the secret {secret.config_key} {'is not encrypted' if plain else 'is missing'}; set it "
        f"with: pulumi config set --secret {secret.config_key}{value}"
    )
