"""Makes settings of a tree: without Pulumi, which takes longer to import than all of this runs."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import ValidationError

from components.values.value import ALIASES_ONLY, Value
from stack_settings.errors import SettingsError, explain
from stack_settings.found import contradictions, fill, is_local

_Settings = TypeVar("_Settings", bound=Value)


@dataclass(frozen=True, kw_only=True)
class SettingsKey(Generic[_Settings]):
    """A configuration key with a tree of settings."""

    name: str
    """With the project, such as `todo:settings`."""
    model: type[_Settings]
    command: str
    """The command that finds out what a tree leaves open, such as `make up`."""

    def parse(self, tree: object, found: object, found_in: str) -> _Settings:
        """Validates a tree, with what was found out for a local stack filled in.

        Args:
            tree: The value of the key.
            found: What was found out; ignored unless `cluster.kind` is `local`.
            found_in: The file with it, for messages.

        Raises:
            SettingsError: The tree is not valid, or says something else than what was found out.
        """
        if found is not None and is_local(tree):
            differ = list(contradictions(tree, found, self.name, found_in, self.command))
            if differ:
                raise _invalid(differ)
            merged = fill(tree, found)
        else:
            merged, found = tree, None
        try:
            return self.model.model_validate(
                merged, by_alias=True, by_name=False, context=ALIASES_ONLY
            )
        except ValidationError as error:
            raise _invalid([*explain(error, self.name, merged, found, found_in)]) from None


def _invalid(lines: list[str]) -> SettingsError:
    return SettingsError("invalid settings\n" + "\n".join(f"  {line}" for line in lines))
