"""What every text and whole number of the settings is held to, however its file was written.

`pulumi config set --path` writes `1` as a number and `true` as a switch (and `007` or an encrypted
value as text), so a name may come as a number, and a number as digits.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

LONGEST = 1024


def _wrong_type(message: str) -> PydanticCustomError:
    return PydanticCustomError("text_type", "{message}", {"message": message})


def as_text(value: object) -> str:
    """Returns a text, or the text that a whole number or a switch was before it was read.

    Raises:
        PydanticCustomError: It is something else, such as a fraction, which may have been 1.10.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        # 1.10 has become 1.1 by now.
        raise _wrong_type("expected text: put the number in quotes")
    if not isinstance(value, str):
        raise _wrong_type("expected text")
    return value


def _plain(value: object) -> str:
    text = as_text(value)
    if not 0 < len(text) <= LONGEST or text != text.strip() or not text.isprintable():
        raise ValueError(
            f"expected 1 to {LONGEST} characters without control characters, and no blanks at "
            "either end"
        )
    return text


_SCALAR = ["string", "integer", "boolean"]
Text = Annotated[
    str,
    BeforeValidator(_plain),
    WithJsonSchema({"type": _SCALAR, "minLength": 1, "maxLength": LONGEST}),
]


@dataclass(frozen=True, kw_only=True)
class Matching:
    """Annotates a text that has to match a pattern as a whole."""

    pattern: str
    """A regular expression that Python and JSON schema read alike."""
    longest: int = LONGEST
    allowed: str
    """What is allowed, in words, after "expected"."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Validates before anything else does."""
        return core_schema.no_info_before_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Returns the same rule for editors; a pattern is asked of texts alone."""
        return {"type": _SCALAR, "pattern": f"^(?:{self.pattern})$", "maxLength": self.longest}

    def _check(self, value: object) -> str:
        text = as_text(value)
        if len(text) > self.longest or not re.fullmatch(self.pattern, text):
            raise ValueError(f"expected {self.allowed}")
        return text


@dataclass(frozen=True)
class Between:
    """Annotates a whole number in a range, which may be written as digits in quotes."""

    low: int
    high: int

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Takes whole numbers alone: 1.0 or true are mistakes."""
        whole = core_schema.int_schema(ge=self.low, le=self.high, strict=True)
        return core_schema.no_info_before_validator_function(self._number, whole)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Returns the same rule for editors."""
        return {
            "type": ["integer", "string"],
            "minimum": self.low,
            "maximum": self.high,
            "pattern": "^[0-9]{1,9}$",
        }

    def _number(self, value: object) -> int:
        if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value):
            return int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise _wrong_type(f"expected a whole number of {self.low} to {self.high}")
        return value
