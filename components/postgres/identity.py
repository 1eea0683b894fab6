"""What a PostgreSQL data volume is made with, which no later setting changes."""

from collections.abc import Mapping
from typing import Any

import pulumi

from .image import DEFAULT_IMAGE, image_traits

ANNOTATION = "todo-kubernetes/data"
"""On the StatefulSet: what its volume is made with, as `key=value` words."""

_KEYS = {
    "database": ("name", "the volume has the database {old}"),
    "user": ("user", "the volume has the role {old}"),
    "major": ("image", "{new} does not read the files of PostgreSQL {old}"),
    "system": ("image", "the volume has the users and the sort order of {old}"),
    "size": ("storage.size", "a StatefulSet's claim template is for ever"),
    "class": ("storage.storageClass", "a volume cannot change its class"),
}


def identity(
    *, image: str, database: str, user: str, size: str, storage_class: str | None
) -> dict[str, str]:
    """Returns what a volume is made with."""
    return {
        "database": database,
        "user": user,
        **image_traits(image),
        "size": size,
        "class": storage_class or "default",
    }


def words(found: Mapping[str, str]) -> str:
    """Returns the annotation's text."""
    return " ".join(f"{key}={value}" for key, value in found.items())


def parse(text: str) -> dict[str, str]:
    """Returns what an annotation says."""
    return dict(word.split("=", 1) for word in text.split())


def refuse_other_data(args: pulumi.ResourceHookArgs) -> None:
    """Refuses a change that the volume would not follow; a before_update hook of the StatefulSet.

    Raises:
        pulumi.RunError: Settings and volume would differ; says how it is done.
    """
    refuse_difference(identity_of(args.old_inputs or {}), identity_of(args.new_inputs or {}))


def refuse_difference(old: Mapping[str, str], new: Mapping[str, str]) -> None:
    """Refuses what differs, or may; see refuse_other_data."""
    if "major" in old and "major" not in new:
        tag = DEFAULT_IMAGE.rpartition(":")[2]
        raise pulumi.RunError(
            "todo:settings.database.image does not say its major version, and the volume has the "
            f"files of PostgreSQL {old['major']}: give a tag that begins with it, such as {tag} (a "
            f"digest may follow, as in {tag}@sha256:…)"
        )
    for key, (setting, reason) in _KEYS.items():
        if key in old and key in new and old[key] != new[key]:
            values = {"old": old[key], "new": new[key]}
            section = "Enlarge a volume" if key == "size" else "Change what the volume decides"
            raise pulumi.RunError(
                f"todo:settings.database.{setting} cannot go from {old[key]} to {new[key]} by an "
                f"update, since {reason.format(**values)}: take it back to {old[key]}, or follow "
                f'docs/operations.md, "{section}"'
            )


def identity_of(inputs: Mapping[str, Any]) -> dict[str, str]:
    """Returns what a StatefulSet's inputs say, also those of programs that did not note it."""
    annotations: dict[str, str] = inputs["metadata"].get("annotations") or {}
    if noted := annotations.get(ANNOTATION):
        return parse(noted)
    spec = inputs["spec"]
    container = spec["template"]["spec"]["containers"][0]
    env: dict[str, str] = {it["name"]: it.get("value", "") for it in container["env"]}
    claim = spec["volumeClaimTemplates"][0]["spec"]
    return identity(
        image=container["image"],
        database=env["POSTGRES_DB"],
        user=env["POSTGRES_USER"],
        size=claim["resources"]["requests"]["storage"],
        storage_class=claim.get("storageClassName"),
    )
