"""A second Cluster beside the live one, recovered from the object store, read and removed.

It has the live one's image, size, labels and account, and archives nothing, so it can harm neither
the live servers nor the store. Cut off at any point, the next recovery takes it over or replaces
it.
"""

import copy
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cluster_objects.json_tree import Json, part, parts
from console.failure import ExitCode, Failure
from console.waiting import wait_until
from ops.contract import OperatorDatabase
from ops.kube import Cluster
from ops.moments import written

_MARK = "todo-ops/recovery-to"
_BY = "todo-ops/recovery-by"
"""Which run of a command made it: two may run at once."""
_LATEST = "latest"
_SECONDS = 3600.0
_GONE_SECONDS = 180.0
_SOURCE = "origin"
# What the recovered Cluster must not do as the live one does: archive, follow, be found.
_NOT_ITS = ("backup", "bootstrap", "externalClusters", "managed", "monitoring", "plugins")
_NOT_ITS_SERVER = ("synchronous", "syncReplicaElectionConstraint")


class Unrecoverable(Failure):
    """What is archived was tried, and could not be recovered."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """An archive in the object store that is not the live Cluster's own."""

    destination: str
    """Its folder, as `s3://BUCKET/FOLDER`."""
    name: str
    """Its name in there."""


def beside(
    live: Json, found: OperatorDatabase, when: datetime | None, origin: Origin | None = None
) -> Json:
    """Returns a Cluster that is the live one as it was at a moment.

    Args:
        live: The live Cluster.
        found: What the stack says of it.
        when: The moment; None: the newest that is archived.
        origin: Whose archive it is recovered from; None: the live one's own.
    """
    name = found.cluster
    store: Any = part(live, "spec", "backup").get("barmanObjectStore")
    spec: Json = copy.deepcopy({k: v for k, v in live["spec"].items() if k not in _NOT_ITS})
    server = part(spec, "postgresql")
    for key in _NOT_ITS_SERVER:
        server.pop(key, None)
    recovery: Json = {
        "source": _SOURCE,
        "database": found.name,
        "owner": found.user,
        # The password of today, not of that moment.
        "secret": {"name": found.password_secret.name},
    }
    if when is not None:
        recovery["recoveryTarget"] = {"targetTime": written(when)}
    source = {**store, "serverName": store.get("serverName") or name}
    if origin is not None:
        source |= {"destinationPath": origin.destination, "serverName": origin.name}
    return {
        "apiVersion": live["apiVersion"],
        "kind": "Cluster",
        "metadata": {
            "name": recovered_name(name),
            "labels": part(live, "metadata").get("labels") or {},
            "annotations": {_MARK: written(when) if when else _LATEST},
        },
        "spec": {
            **spec,
            "instances": 1,
            "bootstrap": {"recovery": recovery},
            "externalClusters": [{"name": _SOURCE, "barmanObjectStore": source}],
        },
    }


def recovered_name(live: str) -> str:
    """Returns the name of the Cluster that is recovered beside one."""
    return f"{live}-recovery"


class Recovery:
    """One recovery: its Cluster is nobody else's, and no other run's."""

    def __init__(
        self,
        cluster: Cluster,
        found: OperatorDatabase,
        when: datetime | None,
        origin: Origin | None = None,
    ) -> None:
        """Names it; nothing is made yet.

        Args:
            cluster: Where the live Cluster is.
            found: What the stack says of it.
            when: The moment; None: the newest that is archived.
            origin: Whose archive it is recovered from; None: the live one's own.
        """
        self._cluster, self._found, self._when, self._origin = cluster, found, when, origin
        self._name, self._by = recovered_name(found.cluster), secrets.token_hex(8)

    def recover(self) -> OperatorDatabase:
        """Recovers a Cluster beside the live one; one that an earlier run left is replaced.

        Returns:
            What the stack would say of the recovered one.

        Raises:
            Unrecoverable: What is archived does not lead to it.
            Failure: It was not ready in time, or there is one of that name that this did not make.
        """
        cluster, name = self._cluster, self._name
        live = cluster.get("Cluster", self._found.cluster)
        wanted = beside(live, self._found, self._when, self._origin)
        wanted["metadata"]["annotations"][_BY] = self._by
        there = cluster.find("Cluster", name)
        if there is not None and not _is_own(there):
            raise Failure(
                f"There is a Cluster {name} that this program did not make, so nothing was "
                "changed; rename it or remove it yourself.",
                ExitCode.USAGE,
            )
        if there is not None:
            self._remove()
        cluster.create("Cluster", wanted)
        wait_until(
            self._is_ready,
            _SECONDS,
            f"The Cluster {name} was not recovered in {_SECONDS / 60:.0f} minutes; run this again.",
            every=1,
        )
        return self._found.model_copy(update={"cluster": name, "host": f"{name}-rw"})

    def require_own(self) -> None:
        """Checks that the Cluster is still the one that this recovery made.

        Raises:
            Failure: Another recovery has replaced it, or somebody deleted it.
        """
        self._live()

    def remove(self) -> None:
        """Removes the Cluster with its volume; does nothing to one that it did not make.

        Raises:
            Failure: It does not go.
        """
        there = self._cluster.find("Cluster", self._name)
        if there is not None and self._is_mine(there):
            self._remove()

    def _remove(self) -> None:
        cluster, name = self._cluster, self._name
        cluster.delete("Cluster", name)
        selector = f"cnpg.io/cluster={name}"

        def is_gone() -> bool:
            claims = cluster.items("PersistentVolumeClaim", selector=selector)
            return not (cluster.find("Cluster", name) or cluster.pods(selector) or claims)

        wait_until(
            is_gone,
            _GONE_SECONDS,
            f"The recovered Cluster {name} does not go; see kubectl get pods -n "
            f"{cluster.namespace}.",
        )

    def _is_ready(self) -> bool:
        status = part(self._live(), "status")
        if status.get("readyInstances") == 1 and status.get("currentPrimary"):
            return True
        for pod in self._cluster.pods(f"cnpg.io/cluster={self._name},cnpg.io/jobRole"):
            if part(pod, "status").get("phase") == "Failed":
                raise Unrecoverable(_why(self._cluster, pod, is_lost=self._origin is not None))
        return False

    def _live(self) -> Json:
        live = self._cluster.find("Cluster", self._name)
        if live is None:
            raise Failure(
                f"The Cluster {self._name} was deleted while it was needed; run this again."
            )
        if not self._is_mine(live):
            raise Failure("Another drill or restore runs; wait for it, then run this again.")
        return live

    def _is_mine(self, there: Json) -> bool:
        return part(there, "metadata", "annotations").get(_BY) == self._by


def _is_own(there: Json) -> bool:
    return _MARK in part(there, "metadata", "annotations")


def _why(cluster: Cluster, pod: Json, *, is_lost: bool) -> str:
    name = pod["metadata"]["name"]
    containers = [str(it["name"]) for it in parts(pod, "spec", "containers")]
    lines = [line for it in containers[:1] for line in cluster.log(name, {"container": it})]
    if any("recovery ended before configured recovery target" in line for line in lines):
        more = (
            "leave --to out for the newest" if is_lost else "run this again when more was archived"
        )
        return f"The archived log ends before that moment; name an earlier one, or {more}."
    said = [line for line in lines if '"level":"error"' in line or "FATAL" in line]
    last = (said or lines or ["it printed nothing"])[-1][:300]
    return f"The recovery failed: {last}; correct that, then run this again."
