"""What the claim of a PostgreSQL server remembers when the server itself is gone.

`pulumi destroy` keeps the claim, and forgets the StatefulSet and what its volume was made with.
"""

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from ..cluster.api import Api
from .identity import VolumeIdentity

core = k8s.core.v1
_LASTING = ("database", "user", "major", "system")


def template_name(volume: int) -> str:
    """Returns the name of the claim template, and of the pod's volume, of one of the volumes."""
    return "data" if volume == 1 else f"data-{volume}"


def claim_name(volume: int, server: str) -> str:
    """Returns the name that Kubernetes gives to the claim of a server's only pod."""
    return f"{template_name(volume)}-{server}-0"


def claim_template(
    name: str, labels: Mapping[str, str], size: str, storage_class: str | None
) -> core.PersistentVolumeClaimArgs:
    """Returns the template of the claim."""
    return core.PersistentVolumeClaimArgs(
        metadata=k8s.meta.v1.ObjectMetaArgs(name=name, labels=dict(labels)),
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
            pulumi.RunError: The server would not start or not have what the settings name, or
                would be an empty one beside the volume that has the data.
        """
        inputs = args.new_inputs or {}
        if not isinstance(inputs["metadata"]["namespace"], str):
            return  # not known in a preview; the update asks again
        claim = self.api.request("GET", _path(inputs))
        noted = self.identity.noted(claim["metadata"]) if claim else None
        if noted:
            self.identity.refuse_difference(noted, self.identity.of(inputs))
        elif _template(inputs) != template_name(1):
            # The first one is filled by the server itself, each later one from the one before.
            raise self.identity.refusal_of_unfilled(_claim(inputs))
        elif claim is None and (others := self._others(inputs)):
            raise self.identity.refusal_of_empty(_claim(inputs), others)

    def _others(self, inputs: Mapping[str, Any]) -> list[str]:
        """Returns the names of the server's claims: all have the labels of its pods."""
        labels: Mapping[str, str] = inputs["spec"]["selector"]["matchLabels"]
        selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
        query = urllib.parse.urlencode({"labelSelector": selector})
        claims = f"/api/v1/namespaces/{inputs['metadata']['namespace']}/persistentvolumeclaims"
        found: Any = self.api.request("GET", f"{claims}?{query}") or {"items": []}
        return [str(it["metadata"]["name"]) for it in found["items"]]

    def note(self, args: pulumi.ResourceHookArgs) -> None:
        """Writes what the volume is made with on its claim; a hook after creation and update."""
        inputs = args.new_inputs or {}
        made_with = self.identity.of(inputs)
        lasting = {key: made_with[key] for key in _LASTING if key in made_with}
        change = {"metadata": {"annotations": self.identity.note(lasting)}}
        self.api.request("PATCH", _path(inputs), change)


def _template(inputs: Mapping[str, Any]) -> str:
    return str(inputs["spec"]["volumeClaimTemplates"][0]["metadata"]["name"])


def _claim(inputs: Mapping[str, Any]) -> str:
    return f"{_template(inputs)}-{inputs['metadata']['name']}-0"


def _path(inputs: Mapping[str, Any]) -> str:
    namespace = inputs["metadata"]["namespace"]
    return f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{_claim(inputs)}"
