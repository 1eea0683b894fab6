"""Lets an application's number of pods change hands, from its owner to an autoscaler and back.

A field that server-side apply no longer sets falls back to its default: a Deployment that stopped
saying how many pods it has would have one, until its autoscaler has looked
(https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#migrating-deployments-and-statefulsets-to-horizontal-autoscaling).
So with an autoscaler the field is ignored and not left out: the provider then goes on to set what
is there until somebody else has set it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from ..cluster.api import Api

AUTOSCALED: Mapping[str, str] = {"kubernetes-app-components/replicas": "autoscaled"}
"""The annotation of a Deployment whose number of pods an autoscaler sets.

Without it a change back to a number that the Deployment once had would be none to Pulumi, and its
pods would stay as many as the autoscaler had made.
"""
IGNORED = "spec.replicas"


@dataclass(frozen=True)
class ScalingHandover:
    """Takes the number of pods back from an autoscaler."""

    api: Api
    """Requests to the cluster."""

    def hook(self, args: pulumi.ResourceHookArgs) -> None:
        """Removes the autoscaler of a Deployment that it has no more; before an update.

        Pulumi removes it last: until then it would overrule the new number, for good if it acts
        between the two.
        """
        metadata: Mapping[str, Any] = (args.old_inputs or {}).get("metadata") or {}
        if not AUTOSCALED.items() <= (metadata.get("annotations") or {}).items():
            return
        path = f"namespaces/{metadata['namespace']}/horizontalpodautoscalers/{metadata['name']}"
        self.api.request("DELETE", f"/apis/autoscaling/v2/{path}")
