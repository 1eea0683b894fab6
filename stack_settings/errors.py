"""What is wrong with the settings, in sentences."""

import json
import re
from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from stack_settings.tree import get, has, holds

_NO_BLOCK = ("model_type", "model_attributes_type", "dict_type")


class SettingsError(Exception):
    """The configuration is wrong; the message says what is allowed."""


def explain(
    error: ValidationError, key: str, tree: object, found: object, found_in: str
) -> Iterator[str]:
    """Yields a sentence for each problem: the setting's path, its value, and what is allowed.

    Args:
        error: What pydantic found.
        key: The configuration key of the tree, such as `todo:settings`.
        tree: What was validated.
        found: The part of it that set-up found out.
        found_in: The file with that part.
    """
    for problem in error.errors(include_url=False):
        path = _path(problem["loc"], tree, missing=problem["type"] == "missing")
        where = key + "".join(map(_step, path))
        value, context = problem["input"], problem.get("ctx", {})
        message = problem["msg"].removeprefix("Value error, ")
        shown = f" is {_shown(value)}"
        if problem["type"] == "union_tag_invalid":
            where, shown = f"{where}.mode", f" is {context['tag']!r}"
            if context["tag"] == "None":
                shown, message = "", "field required: "
            else:
                message = ""
            message += f"expected {context['expected_tags']}"
        elif problem["type"] in _NO_BLOCK:
            message = "expected a block of settings"
        elif problem["type"] == "missing" or (
            # What is wrong inside a block is said with the values.
            isinstance(value, Mapping) and problem["type"] in ("value_error", "unknown_setting")
        ):
            shown = ""
        origin = f" (from {found_in})" if found is not None and holds(found, path) else ""
        yield f"{where}{shown}: {message[0].lower()}{message[1:]}{origin}"


def _shown(value: object) -> str:
    """Returns a value on one short line, without what may be secret in an address."""
    text = re.sub(r"//[^/@\s]*@", "//…@", repr(value))
    text = re.sub(r"(https?://[^\s'\"?#]*[?#])[^\s'\"]+", r"\1…", text)
    return text if len(text) <= 100 else f"{text[:80]}… ({len(text)} characters)"


def _step(step: int | str) -> str:
    if isinstance(step, str) and re.fullmatch(r"[A-Za-z0-9_-]+", step):
        return f".{step}"
    # As `pulumi config set --path` wants other keys.
    return f"[{json.dumps(step)}]"


def _path(location: tuple[int | str, ...], tree: object, *, missing: bool) -> list[int | str]:
    """Drops what pydantic puts between the keys: union tags, and `[key]` after a wrong key."""
    path: list[int | str] = []
    here: object = tree
    for index, step in enumerate(location):
        if step != "mode" and get(here, "mode") == step:
            continue
        if not has(here, step) and not (missing and index == len(location) - 1):
            continue
        path.append(step)
        here = get(here, step)
    return path
