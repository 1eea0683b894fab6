"""Says why the pods of a rollout do not start, while the plugin waits for them.

The plugin gives its reason only when its time is over, and of an init container that keeps ending,
such as a migration, it says no more than PodInitializing.
"""

import contextlib
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from .api import Api
from .pod_obstacle import failed_start, is_unschedulable, obstacle_of


@dataclass
class RolloutWatch:
    """Watches the new pods of Deployments and StatefulSets."""

    api: Api
    """Requests to the cluster."""
    timeout_seconds: float = 480.0
    """How long it looks."""
    stuck_seconds: float = 20.0
    """How long a pod may say that it cannot start: what it needs may be away for a moment."""
    interval_seconds: float = 2.0
    """How long it waits between two looks."""

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
        end = time.monotonic() + self.timeout_seconds
        since: dict[str, float] = {}
        path = f"/api/v1/namespaces/{namespace}/pods?labelSelector={selector}"
        while (now := time.monotonic()) < end:
            # The update itself says what is wrong with the cluster.
            with contextlib.suppress(Exception):
                found: dict[str, list[Any]] = self.api.request("GET", path) or {}
                for pod in found.get("items", ()):
                    if ended := None if _is_going(pod) else failed_start(pod):
                        return f"{ended.text}; look with `kubectl -n {namespace} {ended.look}`"
                stuck: dict[str, tuple[str, str]] = {
                    pod["metadata"]["uid"]: it
                    for pod in found.get("items", ())
                    if (it := _stuck(pod))
                }
                since = {uid: since.get(uid, now) for uid in stuck}
                for uid, (text, look) in stuck.items():
                    if now - since[uid] >= self.stuck_seconds:
                        return f"{text}; look with `kubectl -n {namespace} {look}`"
            time.sleep(self.interval_seconds)
        return None


def _is_going(pod: Any) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))


def _stuck(pod: Any) -> tuple[str, str] | None:
    if _is_going(pod):
        return None
    obstacle = obstacle_of(pod)
    stuck = obstacle.fatal or is_unschedulable(pod)
    return (obstacle.text, obstacle.look) if stuck else None
