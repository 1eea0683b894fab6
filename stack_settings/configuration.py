"""What a stack's configuration says, in a run of Pulumi."""

from collections.abc import Collection

import pulumi
from pulumi.runtime import config as runtime_config

from stack_settings.errors import SettingsError


def settings_tree(project: str) -> object:
    """Returns the value of a project's key `settings`; None: it is not there."""
    config = pulumi.Config(project)
    try:
        return config.get_object("settings")
    except pulumi.ConfigTypeError:
        return config.get("settings")


def refuse_unknown_keys(project: str, allowed: Collection[str]) -> None:
    """Refuses configuration that nothing reads.

    Args:
        project: Whose keys are looked at.
        allowed: Its keys, each with the project's name.

    Raises:
        SettingsError: There are others.
    """
    # The SDK has no public way to list keys; these two are what Config.get itself reads.
    keys = {*runtime_config.CONFIG.get(), *runtime_config.get_config_env()}
    unknown = sorted(key for key in keys if key.startswith(f"{project}:") and key not in allowed)
    if unknown:
        raise SettingsError(
            f"unknown configuration key {', '.join(unknown)}; allowed: {', '.join(allowed)}"
        )
