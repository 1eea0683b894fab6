"""The claim of the backups: it outlives the stack, and with it what it was made with."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from ..cluster.api import Api
from ..metadata.awaiting import NOT_AWAITED
from ..values.quantities import quantity_value

core = k8s.core.v1
CLASS = "todo-kubernetes/storage-class"
"""On the claim: the class that the settings name."""
_DEFAULT = "default"


def declare_claim(
    name: str,
    *,
    namespace: pulumi.Input[str],
    object_name: str,
    labels: Mapping[str, str],
    size: str,
    storage_class: str | None,
    api: Api | None,
    opts: pulumi.ResourceOptions,
) -> core.PersistentVolumeClaim:
    """Declares the claim.

    Args:
        name: Its Pulumi name.
        namespace: Where it is.
        object_name: Its own name.
        labels: Its labels.
        size: How much it asks for.
        storage_class: None: the cluster's default.
        api: To look at the claim before it is changed; None: the stack's state is believed.
        opts: Pulumi's resource options.
    """
    on_dry_run = pulumi.ResourceHookOptions(on_dry_run=True)
    refuse = pulumi.ResourceHook(f"volume of {name}", BackupClaim(api).refuse_other, on_dry_run)
    own = pulumi.ResourceOptions(
        retain_on_delete=True,
        # Another class would replace the claim, which is kept and still has its name: the
        # annotation shows the change, and the hook refuses it.
        ignore_changes=["spec.storageClassName"],
        hooks=pulumi.ResourceHookBinding(before_create=[refuse], before_update=[refuse]),
    )
    return core.PersistentVolumeClaim(
        name,
        metadata=k8s.meta.v1.ObjectMetaArgs(
            name=object_name,
            namespace=namespace,
            labels=dict(labels),
            annotations={
                CLASS: storage_class or _DEFAULT,
                # Many storage classes bind a claim only when a pod uses it: at the first backup.
                # It may be there already, kept by an earlier `pulumi destroy`.
                **NOT_AWAITED,
                "pulumi.com/patchForce": "true",
            },
        ),
        spec=core.PersistentVolumeClaimSpecArgs(
            access_modes=["ReadWriteOnce"],
            storage_class_name=storage_class,
            resources=core.VolumeResourceRequirementsArgs(requests={"storage": size}),
        ),
        opts=pulumi.ResourceOptions.merge(opts, own),
    )


class BackupClaim:
    """Refuses what Kubernetes would refuse half-way, or what would ask for a second claim."""

    def __init__(self, api: Api | None) -> None:
        """Names the cluster; nothing is read yet."""
        self._api = api

    def refuse_other(self, args: pulumi.ResourceHookArgs) -> None:
        """Refuses a size or class the claim cannot get; a hook before creation and update.

        Raises:
            pulumi.RunError: The claim would stay as it is; says how it is done.
        """
        inputs: Mapping[str, Any] = args.new_inputs or {}
        namespace, name = inputs["metadata"]["namespace"], inputs["metadata"]["name"]
        if not isinstance(namespace, str):
            return  # not known in a preview; the update asks again
        claim = self._read(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{name}")
        before = _made_with(args.old_inputs) if args.old_inputs else None
        has = _made_with(claim) if claim else before
        if has is None:
            return  # a first claim
        wanted = _made_with(inputs)
        if wanted.storage_class == _DEFAULT:
            # What the cluster's default was when the claim was made does not matter.
            has_class = before.storage_class if before else _DEFAULT
        else:
            has_class = has.storage_class
        if wanted.storage_class != has_class:
            reason = "a volume cannot change its class"
            raise _refusal("storageClass", has_class, wanted.storage_class, reason)
        if reason := self._why_not(claim, has.size, wanted.size):
            raise _refusal("size", has.size, wanted.size, reason)

    def _why_not(self, claim: Mapping[str, Any] | None, has: str, wanted: str) -> str | None:
        if quantity_value(wanted) < quantity_value(has):
            return "a volume cannot get smaller"
        if quantity_value(wanted) == quantity_value(has) or claim is None:
            return None
        if claim.get("status", {}).get("phase") != "Bound":
            return "the claim has no volume before the first backup"
        name = claim["spec"].get("storageClassName")
        found = None
        # Who may not read classes learns it from the cluster's own answer to the change.
        with contextlib.suppress(pulumi.RunError):
            found = name and self._read(f"/apis/storage.k8s.io/v1/storageclasses/{name}")
        if found and not found.get("allowVolumeExpansion"):
            return f"the storage class {name} does not enlarge volumes"
        return None

    def _read(self, path: str) -> Any:
        return self._api.request("GET", path) if self._api else None


@dataclass(frozen=True)
class _Claim:
    size: str
    storage_class: str


def _made_with(claim: Mapping[str, Any]) -> _Claim:
    """Returns what the inputs of a claim ask for, or what a claim in the cluster has."""
    spec: Mapping[str, Any] = claim["spec"]
    annotations: Mapping[str, str] = claim["metadata"].get("annotations") or {}
    # In the cluster the specification has it, in a stack's inputs the annotation.
    noted = None if "status" in claim else annotations.get(CLASS)
    return _Claim(
        size=spec["resources"]["requests"]["storage"],
        storage_class=noted or spec.get("storageClassName") or _DEFAULT,
    )


def _refusal(setting: str, has: str, wanted: str, reason: str) -> pulumi.RunError:
    return pulumi.RunError(
        f"todo:settings.database.backup.storage.{setting} cannot go from {has} to {wanted} by an "
        f"update, since {reason}: take it back to {has}, or follow docs/operations.md, "
        '"Change the volume of the backups"'
    )
