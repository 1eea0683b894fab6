"""A volume for one pod, and the Deployment of a pod that alone may use it."""

import pulumi
import pulumi_kubernetes as k8s

from addons.names import PROJECT
from cluster_objects.stack_mark import ANNOTATION_PREFIX
from components.cluster.claim_guard import ClaimGuard
from components.metadata.awaiting import NOT_AWAITED
from components.metadata.labels import object_name
from components.metadata.scope import ObjectScope
from components.values.quantities import quantity_value

core = k8s.core.v1
apps = k8s.apps.v1

_NAME = "data"


def declare_claim(
    scope: ObjectScope, size: str, storage_class: str | None, *, part: str, storage: str
) -> core.PersistentVolumeClaim:
    """Declares the claim, which goes with the part; what it cannot become is refused.

    Args:
        scope: Whose it is.
        size: Its size.
        storage_class: Its class; None: the cluster's default.
        part: The part's block of the settings.
        storage: What the setting with the size is called in it, as `storage.size`; that with the
            class is called alike.
    """
    name, block = f"{scope.name}-claim", f"{PROJECT}:settings.{part}"
    guard = ClaimGuard(
        api=None,
        prefix=ANNOTATION_PREFIX,
        size_input=f"{block}.{storage}",
        class_input=f"{block}.{_of_class(storage)}",
        way=f"leave {part} out of the settings for one update and put it back in the next: what "
        "it has kept goes with it",
    )
    return core.PersistentVolumeClaim(
        name,
        # Many storage classes bind a claim only when a pod uses it.
        metadata=scope.metadata(annotations={**NOT_AWAITED, **guard.note(storage_class)}),
        spec=core.PersistentVolumeClaimSpecArgs(
            access_modes=["ReadWriteOnce"],
            storage_class_name=storage_class,
            resources=core.VolumeResourceRequirementsArgs(requests={"storage": size}),
        ),
        opts=pulumi.ResourceOptions.merge(scope.opts, guard.options(name)),
    )


def _of_class(size: str) -> str:
    block, dot, _ = size.rpartition(".")
    return f"{block}{dot}storageClass"


def kept_bytes(size: str) -> int:
    """Returns how much of a volume a store may fill before its oldest data go: four fifths.

    The rest is for what is about to go, which is still there a while, and for merging files.

    Args:
        size: Of the volume.
    """
    return int(quantity_value(size) * 4 / 5)


def data_volume(claim: core.PersistentVolumeClaim) -> core.VolumeArgs:
    """Returns the pod's volume."""
    source = core.PersistentVolumeClaimVolumeSourceArgs(claim_name=object_name(claim))
    return core.VolumeArgs(name=_NAME, persistent_volume_claim=source)


def data_mount(path: str) -> core.VolumeMountArgs:
    """Returns where the volume is in the container."""
    return core.VolumeMountArgs(name=_NAME, mount_path=path)


def one_at_a_time(spec: apps.DeploymentSpecArgs) -> apps.DeploymentSpecArgs:
    """Lets the former pod end before there is another: two would write to one volume."""
    spec.strategy = apps.DeploymentStrategyArgs(type="Recreate")
    return spec
