"""The base of all values: settings and what components take."""

import difflib
from collections.abc import Mapping
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, ValidationInfo, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

ALIASES_ONLY = "aliases only"
"""The validation context of what a file says: its keys are camelCase."""


class Value(BaseModel):
    """Base of every value: immutable, no unknown keys, camelCase outside, snake_case inside.

    A block that is given in part keeps the rest of its default.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        validate_by_alias=True,
        validate_by_name=True,
        allow_inf_nan=False,
    )

    @model_validator(mode="before")
    @classmethod
    def _prepare(cls, data: object, info: ValidationInfo) -> object:
        if not isinstance(data, Mapping):
            return data
        given = cast("Mapping[object, Any]", data)
        cls._refuse_unknown_keys(given, aliases_only=info.context == ALIASES_ONLY)
        return cls._complete_blocks(given)

    @classmethod
    def _refuse_unknown_keys(cls, given: Mapping[object, Any], *, aliases_only: bool) -> None:
        """Refuses an unknown key with what would have been allowed, which `extra` does not say."""
        known = sorted(field.alias or name for name, field in cls.model_fields.items())
        # Python code says cpu_limit, a file cpuLimit and nothing else.
        allowed = {*known} if aliases_only else {*known, *cls.model_fields}
        for key in given:
            if key not in allowed:
                close = difflib.get_close_matches(str(key), known, n=1)
                hint = f"did you mean {close[0]}? " if close else ""
                mode = f" with mode {given['mode']}" if "mode" in given else ""
                raise PydanticCustomError(
                    "unknown_setting",
                    "unknown setting {key}; {hint}allowed here{mode}: {known}",
                    {"key": repr(key), "hint": hint, "mode": mode, "known": ", ".join(known)},
                )

    @classmethod
    def _complete_blocks(cls, given: Mapping[object, Any]) -> dict[object, Any]:
        """Gives each block what it leaves open and its default has."""
        whole = dict(given)
        for name, field in cls.model_fields.items():
            for key in {name, field.alias or name} & whole.keys():
                whole[key] = _complete(whole[key], field.default)
                block: Any = whole[key]
                if field.discriminator and isinstance(block, Mapping) and "mode" not in block:
                    # The error about a wrong mode says which there are; that about none does not.
                    whole[key] = {**cast("Mapping[str, Any]", block), "mode": None}
        return whole


def _complete(given: object, default: object) -> object:
    if not isinstance(given, Mapping) or not isinstance(default, Value):
        return cast("object", given)
    block = cast("Mapping[object, object]", given)
    mode = getattr(default, "mode", None)
    if block.get("mode", mode) != mode:
        return block
    whole = dict(block)
    for name, field in type(default).model_fields.items():
        key = name if name in block else field.alias or name
        own = getattr(default, name)
        whole[key] = _complete(block[key], own) if key in block else own
    return whole
