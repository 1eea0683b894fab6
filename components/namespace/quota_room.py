"""Room in a namespace's quota for an update that changes what its pods may use."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from ..cluster.api import Api
from ..values.quantities import quantity_value

_WORKLOADS = {
    "kubernetes:apps/v1:Deployment",
    "kubernetes:apps/v1:StatefulSet",
    "kubernetes:postgresql.cnpg.io/v1:Cluster",
}


@dataclass(frozen=True, kw_only=True)
class QuotaRoom:
    """Raises a quota before pods are made or changed; Pulumi lowers it once they are ready.

    A quota that is lowered first refuses the new pods for as long as the old ones hold more than it
    allows, and these only go once the new ones are ready. So the quota is declared after the
    workloads (`depends_on`), and grows before them.

    While pods are replaced it is the larger of both, limit by limit. That is enough for all of them
    if either counts each pod of a Deployment twice and one more, as `hard_limits` wants: half the
    sum of both, which is no more, has room for `n` of one size and one of the other.
    """

    api: Api
    """Requests to the cluster."""
    name: str
    """Of the ResourceQuota, which is declared in the namespace of the pods."""
    hard: Mapping[str, str]
    """What it is to allow in the end."""

    def hook(self, args: pulumi.ResourceHookArgs) -> None:
        """Raises what the quota has less of; before a workload is created or updated.

        Raises:
            pulumi.RunError: The cluster refuses, or does not answer.
        """
        namespace = (args.new_inputs or {})["metadata"]["namespace"]
        path = f"/api/v1/namespaces/{namespace}/resourcequotas/{self.name}"
        found: dict[str, Any] = self.api.request("GET", path) or {}
        live: Mapping[str, str] = found.get("spec", {}).get("hard", {})
        # What the quota does not limit is not limited before its time.
        raised = {
            key: value
            for key, value in self.hard.items()
            if key in live and _is_less(live[key], value)
        }
        if raised:
            self.api.request("PATCH", path, {"spec": {"hard": raised}})

    def before(self, called: str) -> pulumi.ResourceTransformation:
        """Returns a transformation that has this done before all that makes pods at once.

        Args:
            called: The hook's name, which is a program's own.
        """
        # What it is for is refused by the quota itself, if it has no room.
        options = pulumi.ResourceHookOptions(ignore_errors=True)
        hook = pulumi.ResourceHook(called, self.hook, options)
        binding = pulumi.ResourceHookBinding(before_create=[hook], before_update=[hook])

        def make_room(
            args: pulumi.ResourceTransformationArgs,
        ) -> pulumi.ResourceTransformationResult | None:
            if args.type_ not in _WORKLOADS:
                return None
            own = pulumi.ResourceOptions(hooks=binding)
            return pulumi.ResourceTransformationResult(
                args.props, pulumi.ResourceOptions.merge(args.opts, own)
            )

        return make_room


def _is_less(live: str, wanted: str) -> bool:
    try:
        return quantity_value(live) < quantity_value(wanted)
    except ValueError:
        return False  # a unit in which nothing here writes: it is somebody's own
