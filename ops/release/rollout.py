"""The new pods of a release, watched while Pulumi waits for them."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from cluster_objects.json_tree import Json, part, parts
from console.failure import Failure
from ops.contract import Service
from ops.diagnosis import cannot_start, container_states, diagnose_pod
from ops.kube import Cluster
from ops.workloads import COMPONENT, is_ready

_GRACE_SECONDS = 20.0
"""For what a pod needs, such as a registry, to be back; as the program's own watch has it."""
_USUAL_DEADLINE = 180.0
"""Where a Deployment says none."""
_NO_LOG = "unable to retrieve container logs"
"""What the kubelet answers in the place of a log that is gone."""
_ATTEMPTS = 3
"""To read a log, a second apart."""


class Rollout:
    """The pods that an update makes; those that are there already are none of them."""

    def __init__(
        self, cluster: Cluster, services: Sequence[Service], seconds: float | None
    ) -> None:
        """Looks at what is there.

        Args:
            cluster: The cluster.
            services: Those of the stack.
            seconds: How long a new pod may take to get ready; None: as long as its Deployment says
                (`progressDeadlineSeconds`).

        Raises:
            Failure: The cluster does not answer.
        """
        self._cluster, self._seconds = cluster, seconds
        self._services = {it.component: it for it in services if it.kind == "Deployment"}
        pods = cluster.pods()
        self._known = {pod["metadata"]["uid"] for pod in pods}
        self._staying = {pod["metadata"]["uid"] for pod in pods if not _is_leaving(pod)}
        self._deadlines = {} if seconds else self._said()
        self._first_seen, self._stuck_since = dict[str, float](), dict[str, float]()

    def _said(self) -> dict[str, float]:
        return {
            component: float(part(found, "spec").get("progressDeadlineSeconds", _USUAL_DEADLINE))
            for component, service in self._services.items()
            if (found := self._cluster.find("Deployment", service.workload))
        }

    @property
    def patience(self) -> float:
        """For how many seconds a new pod may be on its way to being ready, at most."""
        return self._seconds or max(self._deadlines.values(), default=_USUAL_DEADLINE)

    def obstacle(self) -> str | None:
        """Returns why a new pod will not get ready by itself; None: nothing says so."""
        return self._first(self._of)

    def is_making_room(self) -> bool:
        """Returns whether pods of before are on their way out, which still answer.

        Those that were so before the update are none of them: their node may be gone; nor are
        those that are not ready.

        Raises:
            Failure: The cluster does not answer.
        """
        return any(
            _is_leaving(pod)
            and _is_true(pod, "Ready")
            and pod["metadata"]["uid"] in self._staying
            and self._is_own(pod)
            for pod in self._cluster.pods()
        )

    def unable(self) -> str | None:
        """Returns why a new pod cannot start now, be it for a moment; None: nothing says so."""
        return self._first(_waiting)

    def _first(self, why: Callable[[Json, Sequence[Json]], str | None]) -> str | None:
        # Pulumi says what is wrong with the cluster.
        with suppress(Failure):
            pods = [pod for pod in self._cluster.pods() if self._is_new(pod)]
            events = self._cluster.items("Event") if pods else []
            for pod in pods:
                if reason := self._failure(pod) or why(pod, events):
                    return f"pod {pod['metadata']['name']}: {reason}"
        return None

    def _is_new(self, pod: Json) -> bool:
        metadata = pod["metadata"]
        return (
            metadata["uid"] not in self._known
            and not _is_leaving(pod)
            and self._is_own(pod)
            and not is_ready(pod)
        )

    def _is_own(self, pod: Json) -> bool:
        return part(pod, "metadata", "labels").get(COMPONENT) in self._services

    def _failure(self, pod: Json) -> str | None:
        """Returns which container has failed though nothing keeps it from starting.

        One failure of an init container is one, since it does its work once; a container may be
        started before what it needs.
        """
        initial = parts(pod, "status", "initContainerStatuses")
        for it in container_states(pod):
            ended = part(it, "lastState", "terminated")
            times = int(it.get("restartCount", 0))
            if (
                times >= (1 if it in initial else 2)
                and ended.get("exitCode")
                and not it.get("ready")
            ):
                words = self._last_words(pod, str(it["name"]))
                return f"{it['name']} has failed {times}x with exit code {ended['exitCode']}{words}"
        return None

    def _of(self, pod: Json, events: Sequence[Json]) -> str | None:
        now, uid = time.monotonic(), pod["metadata"]["uid"]
        age = now - self._first_seen.setdefault(uid, now)
        waiting = _is_scheduled(pod) and _waiting(pod, events)
        if not waiting:
            self._stuck_since.pop(uid, None)
        elif now - self._stuck_since.setdefault(uid, now) >= _GRACE_SECONDS:
            return waiting
        late = diagnose_pod(pod, events) if age > self._deadline(pod) else None
        return late and late.detail

    def _deadline(self, pod: Json) -> float:
        component = str(part(pod, "metadata", "labels").get(COMPONENT))
        return self._seconds or self._deadlines.get(component, _USUAL_DEADLINE)

    def _last_words(self, pod: Json, container: str) -> str:
        """Returns the last line that a container has written before it ended."""
        # Its next run takes its place, whose file may be gone before that one has said anything.
        for attempt in range(_ATTEMPTS):
            for previous in (True, False):
                query = {"container": container, "previous": previous, "tailLines": 1}
                with suppress(Failure):
                    for line in self._cluster.log(pod["metadata"]["name"], query):
                        if not line.startswith(_NO_LOG):
                            return f": {line.strip()[-400:]}"
            if attempt < _ATTEMPTS - 1:
                time.sleep(1)
        return ""


def _waiting(pod: Json, events: Sequence[Json]) -> str | None:
    found = cannot_start(pod, events)
    return found and found.detail


def _is_leaving(pod: Json) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def _is_scheduled(pod: Json) -> bool:
    """Returns whether a node has taken it; a cluster that grows may have one later."""
    return _is_true(pod, "PodScheduled")


def _is_true(pod: Json, condition: str) -> bool:
    conditions = parts(pod, "status", "conditions")
    return any(it["type"] == condition and it["status"] == "True" for it in conditions)
