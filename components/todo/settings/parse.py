"""Makes settings of a tree: without Pulumi, which takes longer to import than all of this runs."""

from pydantic import ValidationError

from components.todo.settings.errors import SettingsError, explain
from components.todo.settings.found import FOUND, contradictions, fill, is_local
from components.todo.settings.settings import Settings
from components.values.value import ALIASES_ONLY


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
        return Settings.model_validate(merged, by_alias=True, by_name=False, context=ALIASES_ONLY)
    except ValidationError as error:
        lines = list(explain(error, merged, found, found_in))
    raise SettingsError("invalid settings\n" + "\n".join(f"  {line}" for line in lines))
