"""Says why the pods of a rollout do not start, while the plugin waits for them.

The plugin gives its reason only when its time is over, and of an init container that keeps ending,
such as a migration, it says no more than PodInitializing.
"""

import contextlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pulumi

from .api import Api
from .pod_obstacle import Obstacle, failed_start, is_unschedulable, obstacle_of
from .polling import Polling


@dataclass(frozen=True)
class RolloutWatch:
    """Watches the new pods of Deployments and StatefulSets."""

    api: Api
    """Requests to the cluster."""
    polling: Polling = field(default_factory=lambda: Polling(interval=2.0))

    def hook(self, args: pulumi.ResourceHookArgs) -> None:
        """Begins to watch; before creation and update.

        It returns at once: the plugin makes the change after it, and waits.
        """
        self.begin(args.new_inputs or {})

    def begin(self, inputs: Mapping[str, Any]) -> threading.Thread:
        """Watches the pods of an object with these inputs until there is a reason to say."""
        namespace, name = inputs["metadata"]["namespace"], inputs["metadata"]["name"]
        labels: dict[str, str] = inputs["spec"]["selector"]["matchLabels"]
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        called = f"{inputs.get('kind', 'Deployment')} {namespace}/{name}"
        arguments = (called, str(namespace), selector)
        thread = threading.Thread(target=self._watch, args=arguments, daemon=True)
        thread.start()
        return thread

    def _watch(self, called: str, namespace: str, selector: str) -> None:
        if said := self.reason(namespace, selector):
            pulumi.log.warn(f"{called} does not get ready: {said}")

    def reason(self, namespace: str, selector: str) -> str | None:
        """Returns why a pod has not started for a while, None if there was no such pod."""
        path = f"/api/v1/namespaces/{namespace}/pods?labelSelector={selector}"
        for found in self.polling.findings(lambda: self._look(path)):
            if it := found.lasting:
                return it.told(namespace)
        return None

    def _look(self, path: str) -> dict[str, Obstacle] | None:
        # The update itself says what is wrong with the cluster.
        with contextlib.suppress(Exception):
            found: dict[str, list[Any]] = self.api.request("GET", path) or {}
            return {
                pod["metadata"]["uid"]: _obstacle(pod)
                for pod in found.get("items", ())
                if not pod["metadata"].get("deletionTimestamp")
            }
        return None


def _obstacle(pod: Any) -> Obstacle:
    if failed := failed_start(pod):
        return failed
    obstacle = obstacle_of(pod)
    return replace(obstacle, fatal=obstacle.fatal or is_unschedulable(pod))
