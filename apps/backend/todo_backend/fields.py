"""Field types and bodies shared by several endpoints.

What Python checks beyond JSON Schema's own words is described there by a pattern.
"""

import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, WithJsonSchema

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Problem(BaseModel):
    """What every error answers: one clear message."""

    detail: str


def storable(text: str) -> str:
    """Refuses what PostgreSQL text cannot hold; everything else is kept byte for byte."""
    if "\x00" in text:
        raise ValueError("must not contain NUL characters")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("must be valid Unicode") from None
    return text


def not_blank(text: str) -> str:
    """Refuses text made of white space only, without changing anything."""
    if not text.strip():
        raise ValueError("must not be blank")
    return text


def _date(value: Any) -> date:  # noqa: ANN401 - whatever was sent
    """Takes nothing but a date: no number of seconds, no time of day with a zone to drop."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str) and _ISO_DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError("must be a date such as 2026-01-31")


def _flag(value: Any) -> bool:  # noqa: ANN401 - whatever was sent
    if value in ("true", "false"):
        return bool(value == "true")
    raise ValueError("must be true or false")


Storable = AfterValidator(storable)
NotBlank = AfterValidator(not_blank)
NO_NUL = {"pattern": r"^[^\u0000]*$"}
FILLED = {"pattern": r"^[^\u0000]*\S[^\u0000]*$"}

Text = Annotated[str, Storable]
FilledText = Annotated[str, Storable, NotBlank]
# Lengths are checked before anything else, so that they are told in characters.
Title = Annotated[
    str, Field(min_length=1, max_length=500, json_schema_extra=FILLED), Storable, NotBlank
]
Day = Annotated[date, BeforeValidator(_date)]
# In a query, where everything is text.
Flag = Annotated[bool, BeforeValidator(_flag), WithJsonSchema({"type": "boolean"})]
