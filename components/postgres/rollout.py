"""Watches the pod of a PostgreSQL server until it is what its StatefulSet says.

Two things are not in Pulumi's hands. The Kubernetes plugin (up to 4.25) may take the readiness of
the former pod for that of the new one, so an update ends well while the server is down. And the
StatefulSet controller never replaces a pod that did not get ready, even when the template has been
corrected since (kubernetes#67250): whoever corrects it must delete that pod.
"""

import asyncio
import contextlib
import threading
from dataclasses import dataclass, field
from typing import Any

import pulumi

from ..cluster.api import Api
from ..cluster.pod_obstacle import Obstacle, containers, is_ready, obstacle_of
from ..cluster.polling import Polling

_REVISION = "controller-revision-hash"


class _GoneError(pulumi.RunError):
    """The server is not in the cluster."""


@dataclass(frozen=True)
class PostgresRollout:
    """The rollout of one cluster's servers.

    A pod in which a container runs is never touched, ready or not: it may be recovering.
    """

    api: Api
    """Requests to the cluster."""
    corrected_in: str = "PostgresStatefulSetArgs"
    """What a server that does not start is corrected in."""
    polling: Polling = field(default_factory=Polling)

    def follow(self, stateful_set: pulumi.CustomResource) -> None:
        """Lets `pulumi up` end when the server is ready, and fail with its pod's reason.

        Also when nothing was changed: what an earlier update broke is still broken.
        """

        async def wait(identity: str) -> None:
            if not pulumi.runtime.is_dry_run():
                namespace, _, name = identity.partition("/")
                await asyncio.to_thread(self.wait, namespace, name)

        stateful_set.id.apply(wait)

    def wait(self, namespace: str, name: str) -> None:
        """Returns when the server is ready.

        Raises:
            pulumi.RunError: It cannot start, or is not ready in time.
        """
        obstacle = Obstacle("nobody has looked at it", "get pods")
        for found in self.polling.findings(lambda: self._look(namespace, name)):
            if not found.obstacles:
                return
            (obstacle,) = found.obstacles.values()
            if found.lasting:
                break
        if obstacle.error:
            raise obstacle.error
        raise pulumi.RunError(self._sentence(namespace, name, obstacle))

    def _look(self, namespace: str, name: str) -> dict[str, Obstacle]:
        try:
            obstacle = self._advance(namespace, name)
        except _GoneError:
            raise
        except pulumi.RunError as error:
            # An API server may be away for a moment.
            return {"API server": Obstacle(str(error), "get pods", fatal=True, error=error)}
        return {name: obstacle} if obstacle else {}

    def heal(self, args: pulumi.ResourceHookArgs) -> None:
        """Replaces the stuck pod of the former template as soon as the new one is there.

        A before_update hook. It returns at once: the plugin makes the change after it, and waits.
        """
        namespace, _, name = args.id.partition("/")
        before = self._read(namespace, name)
        if before is None:
            return
        generation = int(before["metadata"]["generation"])
        arguments = (namespace, name, generation)
        threading.Thread(target=self.replace_stuck, args=arguments, daemon=True).start()

    def replace_stuck(self, namespace: str, name: str, generation: int) -> None:
        """Replaces the stuck pod, and says why the new one does not start.

        Args:
            namespace: Where the StatefulSet is.
            name: Its name.
            generation: That of the former template; nothing is done before there is a newer one.
        """
        said = False
        for found in self.polling.findings(lambda: self._look_after(namespace, name, generation)):
            if not found.obstacles:
                return
            # The plugin may notice by itself, and then waits for all of its time.
            if found.lasting and not said:
                pulumi.log.warn(self._sentence(namespace, name, found.lasting))
                said = True

    def _look_after(self, namespace: str, name: str, generation: int) -> dict[str, Obstacle] | None:
        # The update itself says what is wrong with the cluster.
        with contextlib.suppress(Exception):
            found = self._read(namespace, name)
            if found is not None and int(found["metadata"]["generation"]) > generation:
                obstacle = self._advance(namespace, name)
                return {name: obstacle} if obstacle else {}
        return None

    def _advance(self, namespace: str, name: str) -> Obstacle | None:
        """Deletes a stuck pod of a former template; returns what there still is to wait for."""
        server = self._read(namespace, name)
        if server is None:
            raise _GoneError(
                f"StatefulSet {namespace}/{name} is in the stack's state but not in the cluster: "
                "somebody deleted it; run pulumi up --refresh"
            )
        generation = server["metadata"]["generation"]
        status: dict[str, Any] = server["status"]
        if status.get("observedGeneration", 0) < generation:
            return Obstacle("the controller has not seen the change", "get statefulsets")
        if server.get("spec", {}).get("replicas") == 0:
            return None  # somebody has scaled it down, and knows
        pod = self.api.request("GET", f"/api/v1/namespaces/{namespace}/pods/{name}-0")
        if pod is None:
            return Obstacle("there is no pod yet", f"describe statefulset {name}")
        current = pod["metadata"].get("labels", {}).get(_REVISION) == status.get("updateRevision")
        if not current and not pod["metadata"].get("deletionTimestamp") and not _runs(pod):
            self._delete(namespace, pod["metadata"]["name"], pod["metadata"]["uid"])
        if current and is_ready(pod):
            return None
        return obstacle_of(pod) if current else Obstacle("its former pod ends", "get pods")

    def _read(self, namespace: str, name: str) -> Any:
        return self.api.request("GET", f"/apis/apps/v1/namespaces/{namespace}/statefulsets/{name}")

    def _delete(self, namespace: str, pod: str, uid: str) -> None:
        # The very pod that was looked at, and no other.
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": uid}}
        # Refused if the pod is another one by now; then the next look sees that.
        with contextlib.suppress(pulumi.RunError):
            self.api.request("DELETE", f"/api/v1/namespaces/{namespace}/pods/{pod}", body)

    def _sentence(self, namespace: str, name: str, obstacle: Obstacle) -> str:
        advice = obstacle.to_correct(namespace, self.corrected_in)
        return f"the database does not run: {namespace}/{name}: {advice}"


def _runs(pod: Any) -> bool:
    return any("running" in it.get("state", {}) for it in containers(pod))
