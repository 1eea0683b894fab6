"""What a PostgreSQL data volume is made with, which no later setting changes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from ..values.postgres.image import DEFAULT_IMAGE, image_traits
from ..values.postgres.input_names import InputNames
from ..values.quantities import quantity_value

_REASONS = {
    "database": "the volume has the database {old}",
    "user": "the volume has the role {old}",
    "major": "{new} does not read the files of PostgreSQL {old}",
    "system": "the volume has the users and the sort order of {old}",
    "size": "a StatefulSet's claim template is for ever",
    "class": "a volume cannot change its class",
}
_UPGRADE = "Upgrade PostgreSQL's major version"
_SECTIONS = {"size": "Enlarge a volume", "major": _UPGRADE}
"""Where the guide says how something is changed, if not where it says so of the rest."""


def identity(
    *,
    image: str,
    database: str,
    user: str,
    size: str,
    storage_class: str | None,
    volume: int = 1,
) -> dict[str, str]:
    """Returns what a volume is made with."""
    return {
        "database": database,
        "user": user,
        **image_traits(image),
        "size": size,
        "class": storage_class or "default",
        # Not the first one's, which was there before there were others.
        **({} if volume == 1 else {"volume": str(volume)}),
    }


def words(found: Mapping[str, str]) -> str:
    """Returns the annotation's text, `key=value` words."""
    return " ".join(f"{key}={value}" for key, value in found.items())


def parse(text: str) -> dict[str, str]:
    """Returns what an annotation says."""
    return dict(word.split("=", 1) for word in text.split())


@dataclass(frozen=True)
class VolumeIdentity:
    """Notes in an annotation what a volume is made with, and refuses that it changes."""

    prefix: str
    """What the annotation's name begins with."""
    names: InputNames
    """What messages call the inputs."""

    @property
    def annotation(self) -> str:
        """The annotation of the StatefulSet, and of a claim whose StatefulSet is gone."""
        return f"{self.prefix}/data"

    def note(self, made_with: Mapping[str, str]) -> dict[str, str]:
        """Returns the annotation with what a volume is made with."""
        return {self.annotation: words(made_with)}

    def noted(self, metadata: Mapping[str, Any]) -> dict[str, str] | None:
        """Returns what an object's metadata say that its volume is made with, if they do."""
        annotations: Mapping[str, str] = metadata.get("annotations") or {}
        text = annotations.get(self.annotation)
        return parse(text) if text else None

    def of(self, inputs: Mapping[str, Any]) -> dict[str, str]:
        """Returns what a StatefulSet's inputs say, also those of programs that did not note it."""
        if noted := self.noted(inputs["metadata"]):
            return noted
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

    def refuse_other_data(self, args: pulumi.ResourceHookArgs) -> None:
        """Refuses a change that the volume would not follow; a before_update hook.

        Raises:
            pulumi.RunError: Settings and volume would differ; says how it is done.
        """
        old, new = self.of(args.old_inputs or {}), self.of(args.new_inputs or {})
        has, wanted = old.get("volume", "1"), new.get("volume", "1")
        if has != wanted:
            raise pulumi.RunError(
                f"{self.names.volume} cannot go from {has} to {wanted} by an update, since a "
                f"StatefulSet keeps its claims: take it back to {has}, or {self._upgrade}"
            )
        self.refuse_difference(old, new)

    def refuse_difference(self, old: Mapping[str, str], new: Mapping[str, str]) -> None:
        """Refuses what differs, or may; see refuse_other_data.

        Raises:
            pulumi.RunError: It does; says how it is done.
        """
        if "major" in old and "major" not in new:
            tag = DEFAULT_IMAGE.rpartition(":")[2]
            raise pulumi.RunError(
                f"{self.names.image} does not say its major version, and the volume has the "
                f"files of PostgreSQL {old['major']}: give a tag that begins with it, such as "
                f"{tag} (a digest may follow, as in {tag}@sha256:…)"
            )
        for key in _differing(old, new):
            reason = _REASONS[key].format(old=old[key], new=new[key])
            section = _SECTIONS.get(key, "Change what the volume decides")
            raise pulumi.RunError(
                f"{self._input(key)} cannot go from {old[key]} to {new[key]} by an update, since "
                f"{reason}: take it back to {old[key]}, or follow {self.names.guide}, "
                f'"{section}"'
            )

    def refusal_of_unfilled(self, claim: str) -> pulumi.RunError:
        """Returns why a server is not made for a later volume that nobody filled."""
        return pulumi.RunError(
            f"{self.names.volume} names the claim {claim}, which is not there or not filled yet: "
            f"take it back, or {self._upgrade}"
        )

    def refusal_of_empty(self, claim: str, others: Sequence[str]) -> pulumi.RunError:
        """Returns why a server is not made for an empty volume beside one with data."""
        return pulumi.RunError(
            f"{self.names.volume} names the claim {claim}, which is not there, while the server's "
            f"data are on {', '.join(others)}: set it to the number in that name, or delete the "
            "claim, if its data are not wanted any more"
        )

    @property
    def _upgrade(self) -> str:
        return f'follow {self.names.guide}, "{_UPGRADE}"'

    def _input(self, key: str) -> str:
        return {
            "database": self.names.database,
            "user": self.names.user,
            "major": self.names.image,
            "system": self.names.image,
            "size": self.names.storage_size,
            "class": self.names.storage_class,
        }[key]


def _differing(old: Mapping[str, str], new: Mapping[str, str]) -> Iterable[str]:
    both = (key for key in _REASONS if key in old and key in new)
    return (key for key in both if not _alike(key, old[key], new[key]))


def _alike(key: str, old: str, new: str) -> bool:
    return old == new or (key == "size" and quantity_value(old) == quantity_value(new))
