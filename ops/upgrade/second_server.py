"""The server of the other version, beside the one that serves: a pod, on the next volume's claim.

It is what the StatefulSet would make, but for the image and the claim, and is reached by nobody:
its labels are others, so no Service, no policy and no StatefulSet takes it for the database.
"""

import copy
import time
from dataclasses import dataclass
from typing import Any

from cluster_objects.json_tree import Json, part
from console.failure import Failure
from console.waiting import wait_until
from ops.contract import InClusterDatabase, Upgrade
from ops.copying.server import Server
from ops.diagnosis import cannot_start
from ops.kube import Cluster
from ops.upgrade.wanted import VolumeNote, Wanted
from ops.workloads import is_ready

MARK = "todo-ops/upgrade"
"""Annotation of the claim and of the pod: this program made it."""
_SINCE = "todo-ops/equal-since"
"""Annotation of the claim: the stamp of the server that it is a copy of (ops/copying/freeze.py)."""
_COPY, _SERVED = "copy", "served"
"""The mark's values on a claim."""

_STARTING_SECONDS = 600.0
"""As long as the server's own probe waits."""
_PATIENCE_SECONDS = 45.0
"""For what may pass by itself, such as a node's image store that is busy."""
_ENDING_SECONDS = 180.0
"""A pod's grace period is 120 s."""


@dataclass(frozen=True)
class SecondServer:
    """The pod and its claim; both are found again after whatever was cut off."""

    cluster: Cluster
    server: InClusterDatabase
    upgrade: Upgrade
    workload: str
    """Name of the StatefulSet."""

    @property
    def pod(self) -> str:
        """The pod's name."""
        return f"{self.workload}-upgrade"

    @property
    def address(self) -> Server:
        """The server in it."""
        it = self.server
        return Server(self.cluster, self.pod, it.container, it.superuser, it.port)

    def claim(self) -> Json | None:
        """Returns the claim of the next volume.

        Raises:
            Failure: There is one that this program did not make.
        """
        found = self.cluster.find("PersistentVolumeClaim", self.upgrade.next_claim)
        if found and MARK not in part(found, "metadata", "annotations"):
            raise Failure(
                f"There is a claim {self.upgrade.next_claim} that this program did not make, so "
                "nothing was changed; rename or delete it yourself."
            )
        return found

    def is_under_way(self) -> bool:
        """Returns whether there is a copy, or a part of one, that never served."""
        return part(self.claim(), "metadata", "annotations").get(MARK) == _COPY

    def begin_to_serve(self) -> None:
        """Remembers on the claim that the data on it may be newer from now on, and are no copy."""
        if self.is_under_way():
            self._annotate({MARK: _SERVED})

    def begin_anew(self) -> None:
        """Has the claim count for nothing, since what it is a copy of has changed."""
        self._annotate({MARK: _COPY})

    def start(self, wanted: Wanted) -> None:
        """Starts it empty and waits until it answers; what a cut-off copy left goes.

        Raises:
            Failure: It does not start.
        """
        self.remove()
        self._create_claim()
        self.cluster.create("Pod", self._pod(wanted.image))
        begin = time.monotonic()
        wait_until(lambda: self._starts(begin), _STARTING_SECONDS, self._late)

    def note(self, made_with: VolumeNote, since: str) -> None:
        """Remembers on the claim that it is filled, with what, and since when nobody wrote."""
        self._annotate({self.upgrade.note: made_with.text, _SINCE: since})

    def equal_since(self) -> str | None:
        """Returns since when nobody wrote, when the claim was filled; None: it is not."""
        return part(self.claim(), "metadata", "annotations").get(_SINCE)

    def stop(self) -> None:
        """Ends the pod and waits until it is gone: two servers on one volume would destroy it.

        Raises:
            Failure: It does not end, or is one that this program did not make.
        """
        found = self.cluster.find("Pod", self.pod)
        if found and MARK not in part(found, "metadata", "annotations"):
            raise Failure(
                f"There is a pod {self.pod} that this program did not make, so it was left alone; "
                "delete it yourself, and run this again."
            )
        self.cluster.delete("Pod", self.pod)
        wait_until(
            lambda: self.cluster.find("Pod", self.pod) is None,
            _ENDING_SECONDS,
            f"The pod {self.pod} does not end; look at `python -m ops status`, then run this "
            "again.",
        )

    def remove(self) -> None:
        """Removes pod and claim; what somebody else made under that name stays."""
        self.stop()
        if self.claim():
            delete_claim(self.cluster, self.upgrade.next_claim)

    def _annotate(self, annotations: dict[str, str]) -> None:
        change = {"metadata": {"annotations": annotations}}
        self.cluster.patch("PersistentVolumeClaim", self.upgrade.next_claim, change)

    def _create_claim(self) -> None:
        """Makes a claim like the one that serves, as large as that is by now."""
        now = self.cluster.get("PersistentVolumeClaim", self.upgrade.claim)
        spec = {key: now["spec"].get(key) for key in ("accessModes", "storageClassName")}
        size = now["spec"]["resources"]["requests"]["storage"]
        body: Json = {
            "metadata": {
                "name": self.upgrade.next_claim,
                "labels": now["metadata"].get("labels", {}),
                "annotations": {MARK: _COPY},
            },
            "spec": {
                **{key: value for key, value in spec.items() if value},
                "resources": {"requests": {"storage": size}},
            },
        }
        self.cluster.create("PersistentVolumeClaim", body)

    def _pod(self, image: str) -> Json:
        stateful_set = self.cluster.get("StatefulSet", self.workload)
        template: Any = copy.deepcopy(stateful_set["spec"]["template"])
        spec = template["spec"]
        for container in (*spec.get("initContainers", ()), *spec["containers"]):
            container["image"] = image
        data = stateful_set["spec"]["volumeClaimTemplates"][0]["metadata"]["name"]
        claim = {"claimName": self.upgrade.next_claim}
        spec["volumes"] = [
            *spec.get("volumes", ()),
            {"name": data, "persistentVolumeClaim": claim},
        ]
        labels = {
            **template["metadata"]["labels"],
            "app.kubernetes.io/name": self.pod,
            "app.kubernetes.io/component": "database-upgrade",
            "app.kubernetes.io/managed-by": "todo-ops",
        }
        annotations = {**template["metadata"].get("annotations", {}), MARK: "second server"}
        metadata = {"name": self.pod, "labels": labels, "annotations": annotations}
        return {"metadata": metadata, "spec": spec}

    def _starts(self, begin: float) -> bool:
        pod = self.cluster.find("Pod", self.pod)
        if pod is None:
            raise Failure(f"The pod {self.pod} was deleted while it started; run this again.")
        if not is_ready(pod) and time.monotonic() - begin > _PATIENCE_SECONDS:
            found = cannot_start(pod, self.cluster.items("Event"))
            if found:
                raise Failure(
                    f"The second server does not start: {found.detail}; next: {found.command}; "
                    "then run this again, or with --back to give it up."
                )
        return is_ready(pod)

    def _late(self) -> str:
        return (
            f"The second server ({self.pod}) is not ready after {_STARTING_SECONDS / 60:.0f} "
            "minutes; look at `python -m ops status`, then run this again, or with --back to give "
            "it up."
        )


def delete_claim(cluster: Cluster, name: str) -> None:
    """Deletes a claim and waits until it is gone, which it is once no pod has it any more.

    Args:
        cluster: Its cluster.
        name: Its name.

    Raises:
        Failure: It does not go.
    """
    cluster.delete("PersistentVolumeClaim", name)
    wait_until(
        lambda: cluster.find("PersistentVolumeClaim", name) is None,
        _ENDING_SECONDS,
        f"The claim {name} does not go, since a pod has it; run this again.",
    )
