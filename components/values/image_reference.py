"""References of container images (https://github.com/distribution/reference)."""

import re
from typing import Annotated

from pydantic import AfterValidator

from .text import Matching

_PART = "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
_REGISTRY = rf"{_PART}(\.{_PART})*(:[0-9]{{1,5}})?"
_NAME = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
_LONGEST_NAME = 255
_LONGEST_LAST_PART = 8
"""Characters that a repository leaves for the names of its images."""
_IMAGE = re.compile(
    rf"(?P<name>({_REGISTRY}/)?{_NAME}(/{_NAME})*)"
    r"(?P<tag>:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?P<digest>@sha256:[0-9a-f]{64})?"
)


def _image(value: str) -> str:
    match = _IMAGE.fullmatch(value)
    if match is None:
        raise ValueError("expected an image reference such as registry.example.com/shop/web:1.2.3")
    if len(match.group("name")) > _LONGEST_NAME:
        raise ValueError(f"expected an image name of at most {_LONGEST_NAME} characters")
    if not (match.group("tag") or match.group("digest")):
        raise ValueError("expected an image reference with a tag or a sha256 digest")
    if match.group("tag") == ":latest" and not match.group("digest"):
        raise ValueError("expected a fixed tag or a sha256 digest; 'latest' changes under the pods")
    return _port_exists(value, match.group("name"))


def _port_exists(value: str, name: str | None = None) -> str:
    registry, slash, _ = (name or value).partition("/")
    port = registry.partition(":")[2]
    if slash and port and not 1 <= int(port) <= 65535:
        raise ValueError(f"expected a registry's port of 1 to 65535, not {port}")
    return value


ImageReference = Annotated[str, AfterValidator(_image)]
Repository = Annotated[
    str,
    Matching(
        pattern=rf"{_REGISTRY}(/{_NAME})+",
        longest=_LONGEST_NAME - len("/") - _LONGEST_LAST_PART,
        allowed="a registry and a path such as registry.example.com/shop, without a tag",
    ),
    AfterValidator(_port_exists),
]


def name_and_tag(reference: str) -> tuple[str, str]:
    """Returns the name of an image and its tag apart, as Helm charts ask for them.

    Most charts write `{repository}:{tag}`, so the tag of a digest keeps what is before its colon in
    the name: `web@sha256` and the hexadecimal digits.

    Args:
        reference: An `ImageReference`.
    """
    name, _, tag = reference.rpartition(":")
    return name, tag
