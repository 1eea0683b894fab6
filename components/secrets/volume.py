"""The volume of a Secret."""

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as k8s

core = k8s.core.v1


def secret_volume(
    name: str, secret: pulumi.Input[str] | None, *, keys: Sequence[str] = ()
) -> core.VolumeArgs:
    """Returns a volume with a file for each key of a Secret, named as the key.

    Args:
        name: Name of the volume.
        secret: Name of the Secret.
        keys: The keys that become files, whatever else the Secret has; none: all.
    """
    items = [core.KeyToPathArgs(key=key, path=key) for key in keys]
    return core.VolumeArgs(
        name=name,
        secret=core.SecretVolumeSourceArgs(
            secret_name=secret,
            # Owner root, readable through the pod's fsGroup alone.
            default_mode=0o440,
            items=items or None,
        ),
    )
