"""Makes the add-ons' settings of a tree."""

from collections.abc import Mapping
from typing import cast

from addons.names import PROJECT
from addons.settings.found import COMMAND, FOUND, of_chosen
from addons.settings.settings import AddonsSettings
from stack_settings.errors import SettingsError
from stack_settings.parse import SettingsKey

KEY = SettingsKey(name=f"{PROJECT}:settings", model=AddonsSettings, command=COMMAND)


def parse_settings(tree: object, found: object = None, found_in: str = FOUND) -> AddonsSettings:
    """Validates a settings tree, with what was found out for a local stack filled in.

    Args:
        tree: The value of `todo-addons:settings`.
        found: What `make addons` found out; ignored unless `cluster.kind` is `local`.
        found_in: The file with it, for messages.

    Raises:
        SettingsError: The tree is not valid, or says something else than what was found out.
    """
    if open_blocks := _without_a_value(tree):
        # YAML reads it as null, which would remove a part that somebody means to choose.
        raise SettingsError(
            f"{KEY.name}.{open_blocks[0]} has no value: write `{open_blocks[0]}: {{}}` to choose "
            "the part as it is by default, or leave the line out"
        )
    return KEY.parse(tree, of_chosen(found, tree), found_in)


def _without_a_value(tree: object) -> list[str]:
    if not isinstance(tree, Mapping):
        return []
    blocks = cast("Mapping[str, object]", tree)
    return [key for key, block in blocks.items() if block is None]
