"""Makes the application's settings of a tree."""

from components.todo.names import PROJECT
from components.todo.settings.found import COMMAND, FOUND
from components.todo.settings.settings import Settings
from stack_settings.parse import SettingsKey

KEY = SettingsKey(name=f"{PROJECT}:settings", model=Settings, command=COMMAND)


def parse_settings(tree: object, found: object = None, found_in: str = FOUND) -> Settings:
    """Validates a settings tree, with what was found out for a local stack filled in.

    Args:
        tree: The value of `todo:settings`.
        found: What `make up` found out; ignored unless `cluster.kind` is `local`.
        found_in: The file with it, for messages.

    Raises:
        SettingsError: The tree is not valid, or says something else than what was found out.
    """
    return KEY.parse(tree, found, found_in)
