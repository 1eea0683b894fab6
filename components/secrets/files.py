"""SecretFiles: secrets mounted into a pod as files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from ..metadata.labels import object_name
from ..metadata.scope import ObjectScope
from .volume import secret_volume

core = k8s.core.v1

_VOLUME = "secrets"


@dataclass(frozen=True, kw_only=True)
class SecretFiles:
    """Secrets as read-only files, from values or from a Secret that something else keeps.

    Exactly one of `values` and `existing` is given.
    """

    path: str
    """Folder the files appear in."""
    values: Mapping[str, pulumi.Input[str]] | None = None
    """File name to secret; in an auto-named Secret, so that a change rolls the pods."""
    existing: pulumi.Input[str] | None = None
    """Name of a Secret with the files as its keys."""
    keys: Sequence[str] | None = None
    """Keys of the existing Secret to mount; none: all."""

    def __post_init__(self) -> None:
        """Checks that there is one source."""
        if (self.values is None) == (self.existing is None):
            raise ValueError("SecretFiles needs exactly one of values and existing")


def declare_secret(files: SecretFiles, scope: ObjectScope) -> core.Secret | None:
    """Declares the Secret with the values, unless something else keeps one."""
    if files.values is None:
        return None
    return core.Secret(
        f"{scope.name}-secrets",
        metadata=scope.unnamed_metadata(),
        string_data={key: pulumi.Output.secret(value) for key, value in files.values.items()},
        opts=scope.opts,
    )


def files_volume(files: SecretFiles, secret: core.Secret | None) -> core.VolumeArgs:
    """Returns the volume of the files.

    Args:
        files: Which files.
        secret: What `declare_secret` returned for them.
    """
    name = object_name(secret) if secret else files.existing
    return secret_volume(_VOLUME, name, keys=files.keys or ())


def files_mount(files: SecretFiles) -> core.VolumeMountArgs:
    """Returns the mount of the files' volume."""
    return core.VolumeMountArgs(name=_VOLUME, mount_path=files.path, read_only=True)
