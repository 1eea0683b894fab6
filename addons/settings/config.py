"""Reads the stack's configuration, with what `make addons` found out, in a run of Pulumi."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pulumi
from pulumi.runtime import config as runtime_config

from addons.local_authority.authority import is_authority
from addons.names import PROJECT
from addons.secret_table import LOCAL_AUTHORITY, SECRETS
from addons.settings.found import found_file, found_for
from addons.settings.parse import KEY, parse_settings
from addons.settings.settings import AddonsSettings
from components.cluster.stack_identity import stack_identity
from stack_settings.configuration import refuse_unknown_keys, settings_tree
from stack_settings.errors import SettingsError

SecretValues = Mapping[str, pulumi.Output[str]]
"""The secrets that are set, by their names (secret_table.py); always Pulumi secrets."""


@dataclass(frozen=True, kw_only=True)
class AddonsConfig:
    """All that a stack's configuration says."""

    settings: AddonsSettings
    secrets: SecretValues
    identity: str
    """Tells the stack from all others that deploy to the same cluster."""


def load_config(root: Path) -> AddonsConfig:
    """Returns the validated configuration of the selected stack.

    Args:
        root: The repository's folder.

    Raises:
        pulumi.RunError: Something is missing, unknown or out of range; the message, which Pulumi
            prints alone, says what is allowed.
    """
    try:
        return _load(root)
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None


def _load(root: Path) -> AddonsConfig:
    config = pulumi.Config(PROJECT)
    refuse_unknown_keys(PROJECT, (KEY.name, *(secret.config_key for secret in SECRETS)))
    stack = pulumi.get_stack()
    tree = settings_tree(PROJECT)
    if tree is None:
        raise SettingsError(
            f"{KEY.name} is missing in addons/Pulumi.{stack}.yaml; copy it from "
            "addons/Pulumi.minikube.yaml or addons/Pulumi.cloud.yaml"
        )
    settings = parse_settings(tree, found_for(root, stack), str(found_file(stack)))
    return AddonsConfig(
        settings=settings,
        secrets=_read_secrets(config, settings),
        identity=stack_identity(root / "addons" / f"Pulumi.{stack}.yaml"),
    )


def _read_secrets(config: pulumi.Config, settings: AddonsSettings) -> SecretValues:
    chosen = settings.model_dump(by_alias=True, exclude_none=True)
    found: dict[str, pulumi.Output[str]] = {}
    for secret in SECRETS:
        if secret.part not in chosen:
            continue
        if not (config.get(secret.name) and runtime_config.is_config_secret(secret.config_key)):
            raise SettingsError(
                f"the secret {secret.config_key} is missing or not encrypted; set it with: pulumi "
                f'-C addons config set --secret {secret.config_key} "$({secret.generate})"'
            )
        if secret == LOCAL_AUTHORITY and not is_authority(config.require(secret.name)):
            raise SettingsError(
                f"{secret.config_key} is no key and certificate that this program made; set it "
                f'with: pulumi -C addons config set --secret {secret.config_key} "$('
                f'{secret.generate})"'
            )
        found[secret.name] = config.require_secret(secret.name)
    return found
