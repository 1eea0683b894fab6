"""SecretFiles: secrets mounted into a pod as files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from ..metadata.labels import object_name

core = k8s.core.v1


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

    def mount(
        self,
        name: str,
        namespace: pulumi.Input[str],
        labels: Mapping[str, str],
        opts: pulumi.ResourceOptions,
    ) -> tuple[core.VolumeArgs, core.VolumeMountArgs]:
        """Declares the Secret if there is none, and returns its volume and mount."""
        secret_name = self.existing
        if self.values is not None:
            secret = core.Secret(
                f"{name}-secrets",
                metadata=k8s.meta.v1.ObjectMetaArgs(namespace=namespace, labels=dict(labels)),
                string_data={k: pulumi.Output.secret(v) for k, v in self.values.items()},
                opts=opts,
            )
            secret_name = object_name(secret)
        items = [core.KeyToPathArgs(key=key, path=key) for key in self.keys or ()]
        volume = core.VolumeArgs(
            name="secrets",
            secret=core.SecretVolumeSourceArgs(
                secret_name=secret_name,
                # Owner root, readable through the pod's fsGroup alone.
                default_mode=0o440,
                items=items or None,
            ),
        )
        return volume, core.VolumeMountArgs(name="secrets", mount_path=self.path, read_only=True)
