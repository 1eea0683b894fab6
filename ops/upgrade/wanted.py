"""What the program would make of the database's server now: it alone knows the settings."""

from dataclasses import dataclass

from cluster_objects.json_tree import part, parts
from console.failure import ExitCode, Failure
from ops.contract import Upgrade
from ops.pulumi_stack import PulumiStack

_FOLLOWING = {"major", "system"}
"""What a copy may have otherwise; all else stays as the volume has it."""


@dataclass(frozen=True)
class VolumeNote:
    """What a volume is made with, `key=value` words, as StatefulSets and claims remember it."""

    text: str

    @property
    def values(self) -> dict[str, str]:
        """The words."""
        return dict(word.split("=", 1) for word in self.text.split())

    @property
    def major(self) -> int:
        """PostgreSQL's major version; 0 where the image did not say."""
        return int(self.values.get("major", 0))


@dataclass(frozen=True)
class Wanted:
    """What the settings want."""

    image: str
    note: VolumeNote


def wanted(pulumi: PulumiStack, upgrade: Upgrade) -> Wanted:
    """Returns the server that the settings want, also where `pulumi up` would refuse it.

    Raises:
        Failure: The program does not come as far as the server; says why.
    """
    inputs = pulumi.wanted_inputs(upgrade.targets[0])
    note = part(inputs, "metadata", "annotations").get(upgrade.note)
    containers = parts(inputs, "spec", "template", "spec", "containers")
    if not note or not containers:
        raise Failure(
            "The program says nothing of the database's server; see what `pulumi preview` says, "
            "correct that, then run this again."
        )
    return Wanted(str(containers[0]["image"]), VolumeNote(str(note)))


def require_same_but_version(has: VolumeNote, wants: VolumeNote) -> None:
    """Checks that the settings want the same data with another major version, and nothing else.

    Raises:
        Failure: Something else differs; says what.
    """
    differ = [
        f"{key} from {has.values[key]} to {wants.values[key]}"
        for key in sorted(has.values.keys() & wants.values.keys() - _FOLLOWING)
        if has.values[key] != wants.values[key]
    ]
    if differ:
        raise Failure(
            f"The settings change more than the version ({', '.join(differ)}); take that back, and "
            "run this again.",
            ExitCode.USAGE,
        )
