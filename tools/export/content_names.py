"""Names that change with their object's content, so that a change rolls the pods that read it."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tools.export.objects import Object, StackObjects, replaced

LENGTH = 8
"""Of the hash, in hexadecimal digits."""


def content_hash(content: object) -> str:
    """Returns the beginning of the SHA-256 of a ConfigMap's data.

    Of its JSON as Helm's `toJson` writes it, so that a chart comes to the same name.
    """
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    # Go writes these so that JSON may stand in HTML.
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def with_content_names(stack: StackObjects) -> list[Object]:
    """Returns a stack's objects with the names that the content of some gives them."""
    return replaced(list(stack.objects), _names(stack))


def _names(stack: StackObjects) -> Mapping[str, str]:
    contents: dict[str, Any] = {
        it["metadata"]["name"]: it.get("data")
        for it in stack.objects
        if it["metadata"]["name"] in stack.generated
    }
    return {
        name: f"{stack.generated[name]}-{content_hash(content)}"
        for name, content in contents.items()
    }
