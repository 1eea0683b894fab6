"""What the claim of a PostgreSQL server remembers when the server itself is gone.

`pulumi destroy` keeps the claim, and forgets the StatefulSet and what its volume was made with.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from ..cluster.api import Api
from .identity import VolumeIdentity

core = k8s.core.v1
_LASTING = ("database", "user", "major", "system")


def claim_template(
    labels: Mapping[str, str], size: str, storage_class: str | None
) -> core.PersistentVolumeClaimArgs:
    """Returns the template of the claim called `data`."""
    return core.PersistentVolumeClaimArgs(
        metadata=k8s.meta.v1.ObjectMetaArgs(name="data", labels=dict(labels)),
        spec=core.PersistentVolumeClaimSpecArgs(
            access_modes=["ReadWriteOnce"],
            storage_class_name=storage_class,
            resources=core.VolumeResourceRequirementsArgs(requests={"storage": size}),
        ),
    )


@dataclass(frozen=True)
class PostgresVolume:
    """Hooks of the StatefulSet that write to its claim and read from it."""

    api: Api
    """Requests to the cluster."""
    identity: VolumeIdentity

    def refuse_other(self, args: pulumi.ResourceHookArgs) -> None:
        """Refuses to make a server for a claim with other data; a before_create hook.

        Raises:
            pulumi.RunError: The server would not start or not have what the settings name.
        """
        inputs = args.new_inputs or {}
        namespace, name = inputs["metadata"]["namespace"], inputs["metadata"]["name"]
        if not isinstance(namespace, str):
            return  # not known in a preview; the update asks again
        claim = self.api.request("GET", _path(namespace, name))
        if noted := claim and self.identity.noted(claim["metadata"]):
            self.identity.refuse_difference(noted, self.identity.of(inputs))

    def note(self, args: pulumi.ResourceHookArgs) -> None:
        """Writes what the volume is made with on its claim; a hook after creation and update."""
        inputs = args.new_inputs or {}
        path = _path(inputs["metadata"]["namespace"], inputs["metadata"]["name"])
        made_with = self.identity.of(inputs)
        lasting = {key: made_with[key] for key in _LASTING if key in made_with}
        change = {"metadata": {"annotations": self.identity.note(lasting)}}
        self.api.request("PATCH", path, change)


def _path(namespace: str, name: str) -> str:
    return f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/data-{name}-0"
