"""Watches the pod of a PostgreSQL server until it is what its StatefulSet says.

Two things are not in Pulumi's hands. The Kubernetes plugin (up to 4.25) may take the readiness of
the former pod for that of the new one, so an update ends well while the server is down. And the
StatefulSet controller never replaces a pod that did not get ready, even when the template has been
corrected since (kubernetes#67250): whoever corrects it must delete that pod.
"""

import asyncio
import contextlib
import threading
import time
from dataclasses import dataclass
from typing import Any

import pulumi

from ..cluster.api import Api
from ..cluster.pod_obstacle import Obstacle, containers, obstacle_of

_REVISION = "controller-revision-hash"


class _GoneError(pulumi.RunError):
    """The server is not in the cluster."""


@dataclass
class PostgresRollout:
    """The rollout of one cluster's servers.

    A pod in which a container runs is never touched, ready or not: it may be recovering.
    """

    api: Api
    """Requests to the cluster."""
    seconds: float = 480.0
    """How long a server may take to get ready."""
    patience: float = 20.0
    """How long a pod may say that it cannot start: a registry may be away for a moment."""
    pause: float = 1.0

    def follow(self, stateful_set: pulumi.CustomResource) -> None:
        """Lets `pulumi up` end when the server is ready, and fail with its pod's reason.

        Also when nothing was changed: what an earlier update broke is still broken.
        """

        async def wait(identity: str) -> None:
            if not pulumi.runtime.is_dry_run():
                namespace, _, name = identity.partition("/")
                await asyncio.to_thread(self.wait, namespace, name)

        stateful_set.id.apply(wait)

    def heal(self, args: pulumi.ResourceHookArgs) -> None:
        """Replaces the stuck pod of the former template as soon as the new one is there.

        A before_update hook. It returns at once: the plugin makes the change after it, and waits.
        """
        namespace, _, name = args.id.partition("/")
        before = self._read(namespace, name)
        if before is None:
            return
        generation = int(before["metadata"]["generation"])
        threading.Thread(target=self._heal, args=(namespace, name, generation), daemon=True).start()

    def _heal(self, namespace: str, name: str, generation: int) -> None:
        end = time.monotonic() + self.seconds
        fatal_since: float | None = None
        said = False
        while (now := time.monotonic()) < end:
            # The update itself says what is wrong with the cluster.
            with contextlib.suppress(Exception):
                found = self._read(namespace, name)
                if found is not None and int(found["metadata"]["generation"]) > generation:
                    obstacle = self._advance(namespace, name)
                    if obstacle is None:
                        return
                    fatal_since = (fatal_since or now) if obstacle.fatal else None
                    # The plugin may notice by itself, and then waits for all of its time.
                    if not said and fatal_since is not None and now - fatal_since >= self.patience:
                        pulumi.log.warn(_sentence(namespace, name, obstacle))
                        said = True
            time.sleep(self.pause)

    def wait(self, namespace: str, name: str) -> None:
        """Returns when the server is ready.

        Raises:
            pulumi.RunError: It cannot start, or is not ready in time.
        """
        end = time.monotonic() + self.seconds
        fatal_since: float | None = None
        silent_since: float | None = None
        while True:
            now = time.monotonic()
            try:
                obstacle = self._advance(namespace, name)
            except _GoneError:
                raise
            except pulumi.RunError:
                # An API server may be away for a moment.
                silent_since = silent_since or now
                if now - silent_since >= self.patience:
                    raise
                time.sleep(self.pause)
                continue
            if obstacle is None:
                return
            silent_since = None
            fatal_since = (fatal_since or now) if obstacle.fatal else None
            if now > end or (fatal_since is not None and now - fatal_since >= self.patience):
                raise pulumi.RunError(_sentence(namespace, name, obstacle))
            time.sleep(self.pause)

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
        if current and _is_ready(pod):
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


def _is_ready(pod: Any) -> bool:
    conditions: list[Any] = pod["status"].get("conditions") or []
    return not pod["metadata"].get("deletionTimestamp") and any(
        it["type"] == "Ready" and it["status"] == "True" for it in conditions
    )


def _runs(pod: Any) -> bool:
    return any("running" in it.get("state", {}) for it in containers(pod))


def _sentence(namespace: str, name: str, obstacle: Obstacle) -> str:
    return (
        f"the database does not run: {namespace}/{name}: {obstacle.text}; look with "
        f"`kubectl -n {namespace} {obstacle.look}`, correct todo:settings.database, and run "
        "pulumi up again"
    )
