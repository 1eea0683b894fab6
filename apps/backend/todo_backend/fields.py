"""Field types and bodies shared by several endpoints."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel


class Problem(BaseModel):
    """What every error answers: one clear message."""

    detail: str


def storable(text: str) -> str:
    """Refuse what PostgreSQL text cannot hold; everything else is kept byte for byte."""
    if "\x00" in text:
        raise ValueError("must not contain NUL characters")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("must be valid Unicode") from None
    return text


def not_blank(text: str) -> str:
    """Refuse text made of white space only, without changing anything."""
    if not text.strip():
        raise ValueError("must not be blank")
    return text


Text = Annotated[str, AfterValidator(storable)]
FilledText = Annotated[Text, AfterValidator(not_blank)]
