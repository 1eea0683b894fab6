"""Tells a stack from all others that deploy to the same cluster."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pulumi
import yaml


def stack_identity(stack_file: Path | None = None) -> str:
    """Returns organization, project and stack, and what tells clones with those names apart.

    Pulumi Cloud has each full name once. With a state of one's own the organization is always
    `organization`, and each clone may have a stack `dev`; but each has its own random salt, or an
    encrypted key, in the stack's file.

    Args:
        stack_file: `Pulumi.<stack>.yaml`; None, or one that is not there: the names alone.
    """
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    if stack_file is None or not stack_file.is_file():
        return name
    content: object = yaml.safe_load(stack_file.read_text(encoding="utf-8"))
    keys = cast("Mapping[str, Any]", content if isinstance(content, Mapping) else {})
    random = keys.get("encryptionsalt") or keys.get("encryptedkey")
    return f"{name}/{hashlib.sha256(str(random).encode()).hexdigest()[:12]}" if random else name
