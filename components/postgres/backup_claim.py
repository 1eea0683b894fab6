"""The claim of the backups: it outlives the stack, and with it what it was made with."""

import pulumi
import pulumi_kubernetes as k8s

from ..cluster.claim_guard import ClaimGuard
from ..metadata.awaiting import NOT_AWAITED
from ..metadata.patching import PATCH_FORCED
from ..metadata.scope import ObjectScope
from ..values.postgres.backup import Backup
from .args import PostgresStatefulSetArgs

core = k8s.core.v1


def declare_backup_claim(
    scope: ObjectScope, args: PostgresStatefulSetArgs, backup: Backup
) -> core.PersistentVolumeClaim:
    """Declares the claim, which is kept when the stack is destroyed.

    Args:
        scope: Names, labels and options of the backup's objects.
        args: What the server was given.
        backup: Size and storage class.
    """
    name, claim = f"{scope.name}-claim", backup_claim_guard(args)
    return core.PersistentVolumeClaim(
        name,
        metadata=scope.metadata(
            annotations={
                **claim.note(backup.storage_class),
                # Many storage classes bind a claim only when a pod uses it: at the first backup.
                # It may be there already, kept by an earlier `pulumi destroy`.
                **NOT_AWAITED,
                **PATCH_FORCED,
            }
        ),
        spec=core.PersistentVolumeClaimSpecArgs(
            access_modes=["ReadWriteOnce"],
            storage_class_name=backup.storage_class,
            resources=core.VolumeResourceRequirementsArgs(
                requests={"storage": backup.storage_size}
            ),
        ),
        opts=pulumi.ResourceOptions.merge(
            pulumi.ResourceOptions.merge(scope.opts, claim.options(name)),
            pulumi.ResourceOptions(retain_on_delete=True),
        ),
    )


def backup_claim_guard(args: PostgresStatefulSetArgs) -> ClaimGuard:
    """Returns what refuses the changes that the claim cannot follow."""
    names = args.input_names
    return ClaimGuard(
        api=args.api,
        prefix=args.annotation_prefix,
        size_input=names.backup_storage_size,
        class_input=names.backup_storage_class,
        way=f'follow {names.guide}, "Change the volume of the backups"',
        unbound="the claim has no volume before the first backup",
    )
