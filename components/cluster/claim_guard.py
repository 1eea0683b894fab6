"""Refuses what a volume claim cannot become, before Pulumi would make another one in its place."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from ..values.quantities import quantity_value
from .api import Api

_DEFAULT = "default"


@dataclass(frozen=True)
class _Claim:
    size: str
    storage_class: str


@dataclass(frozen=True, kw_only=True)
class ClaimGuard:
    """Refuses what Kubernetes would refuse half-way, or what would ask for a second claim."""

    api: Api | None
    """To look at the claim before it is changed; None: the stack's state is believed."""
    prefix: str
    """What the annotation's name begins with."""
    size_input: str
    """What messages call the input with its size."""
    class_input: str
    """The same of its storage class."""
    way: str
    """How it is done all the same, after "or"."""
    unbound: str = "the claim has no volume yet"
    """Why one cannot be enlarged that no pod has used."""

    @property
    def annotation(self) -> str:
        """The annotation of the claim with the class that the arguments name."""
        return f"{self.prefix}/storage-class"

    def note(self, storage_class: str | None) -> Mapping[str, str]:
        """Returns the annotation, by which a change of the class is seen.

        Args:
            storage_class: The class; None: the cluster's default.
        """
        return {self.annotation: storage_class or _DEFAULT}

    def options(self, name: str) -> pulumi.ResourceOptions:
        """Returns the claim's options: another class changes its note alone, and is refused.

        It would replace the claim, and with it what is on its volume.

        Args:
            name: Of the claim; Pulumi prints a hook's name before its words.
        """
        on_dry_run = pulumi.ResourceHookOptions(on_dry_run=True)
        refuse = pulumi.ResourceHook(f"volume of {name}", self.refuse_other, on_dry_run)
        return pulumi.ResourceOptions(
            ignore_changes=["spec.storageClassName"],
            hooks=pulumi.ResourceHookBinding(before_create=[refuse], before_update=[refuse]),
        )

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
        before = self._made_with(args.old_inputs) if args.old_inputs else None
        has = self._made_with(claim) if claim else before
        if has is None:
            return  # a first claim
        wanted = self._made_with(inputs)
        if wanted.storage_class == _DEFAULT:
            # What the cluster's default was when the claim was made does not matter.
            has_class = before.storage_class if before else _DEFAULT
        else:
            has_class = has.storage_class
        if wanted.storage_class != has_class:
            reason = "a volume cannot change its class"
            raise self._refusal(self.class_input, has_class, wanted.storage_class, reason)
        if reason := self._why_not(claim, has.size, wanted.size):
            raise self._refusal(self.size_input, has.size, wanted.size, reason)

    def _why_not(self, claim: Mapping[str, Any] | None, has: str, wanted: str) -> str | None:
        if quantity_value(wanted) < quantity_value(has):
            return "a volume cannot get smaller"
        if quantity_value(wanted) == quantity_value(has) or claim is None:
            return None
        if claim.get("status", {}).get("phase") != "Bound":
            return self.unbound
        name = claim["spec"].get("storageClassName")
        found = None
        # Who may not read classes learns it from the cluster's own answer to the change.
        with contextlib.suppress(pulumi.RunError):
            found = name and self._read(f"/apis/storage.k8s.io/v1/storageclasses/{name}")
        if found and not found.get("allowVolumeExpansion"):
            return f"the storage class {name} does not enlarge volumes"
        return None

    def _read(self, path: str) -> Any:
        return self.api.request("GET", path) if self.api else None

    def _made_with(self, claim: Mapping[str, Any]) -> _Claim:
        """Returns what the inputs of a claim ask for, or what a claim in the cluster has."""
        spec: Mapping[str, Any] = claim["spec"]
        annotations: Mapping[str, str] = claim["metadata"].get("annotations") or {}
        # In the cluster the specification has it, in a stack's inputs the annotation.
        noted = None if "status" in claim else annotations.get(self.annotation)
        return _Claim(
            size=spec["resources"]["requests"]["storage"],
            storage_class=noted or spec.get("storageClassName") or _DEFAULT,
        )

    def _refusal(self, name: str, has: str, wanted: str, reason: str) -> pulumi.RunError:
        return pulumi.RunError(
            f"{name} cannot go from {has} to {wanted} by an update, since {reason}: take it back "
            f"to {has}, or {self.way}"
        )
