"""The object store of a Cluster: base backups and the write-ahead log, and from when to when."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from cluster_objects.json_tree import Json, part, parts
from console.failure import ExitCode, Failure
from console.waiting import last_answer, wait_until
from ops import database
from ops.contract import OperatorDatabase
from ops.kube import Cluster
from ops.servers import cluster_of_operator
from ops.stack import Stack

State = Literal["complete", "running", "failed"]
_STATES: dict[str, State] = {"completed": "complete", "failed": "failed"}
_BACKUP_SECONDS = 3600.0
_STARTING_SECONDS = 120.0
_ARCHIVE_SECONDS = 120.0
# A commit, so that recovery to a time before now finds a transaction after it to stop at, and the
# segment that has it is closed. PostgreSQL manual, "recovery_target_time".
_CLOSE = "SELECT pg_current_xact_id();\nSELECT pg_walfile_name(pg_switch_wal());\n"
_ARCHIVER = "SELECT last_archived_wal FROM pg_stat_archiver;"


@dataclass(frozen=True, kw_only=True)
class BaseBackup:
    """A Backup object."""

    name: str
    state: State
    ended: str | None
    """When, as Kubernetes writes it; of what can be recovered, the earliest moment."""
    error: str


@dataclass(frozen=True, kw_only=True)
class Archive:
    """What the object store has, as the Cluster says."""

    works: bool
    """Whether the last segment could be written."""
    reason: str
    """Why not."""
    first: datetime | None
    """The earliest moment that can be recovered; None: there is no base backup."""


def archived_database(stack: Stack, what: str) -> OperatorDatabase:
    """Returns the database where an operator runs it and archives its log.

    Args:
        stack: The stack.
        what: What is asked for, the sentence's begin.

    Raises:
        Failure: Something else runs it, or nothing is archived.
    """
    found = cluster_of_operator(stack, what)
    if found.backup is None:
        raise Failure(
            f"{what} needs an object store; set database.backup in the stack's settings, then "
            "pulumi up.",
            ExitCode.USAGE,
        )
    return found


def archive(live: Json) -> Archive:
    """Returns the state of a Cluster's object store."""
    status = part(live, "status")
    conditions = {it.get("type"): it for it in parts(status, "conditions")}
    about = conditions.get("ContinuousArchiving", Json())
    first = status.get("firstRecoverabilityPoint")
    by_method: dict[str, str] = status.get("firstRecoverabilityPointByMethod") or {}
    first = first or by_method.get("barmanObjectStore")
    return Archive(
        works=about.get("status") == "True",
        reason=str(about.get("message") or "nothing was archived yet"),
        first=datetime.fromisoformat(first).astimezone(UTC) if first else None,
    )


def base_backups(cluster: Cluster, name: str) -> list[BaseBackup]:
    """Returns the base backups of a Cluster, newest first."""
    found = [
        it for it in cluster.items("Backup") if part(it, "spec", "cluster").get("name") == name
    ]
    found.sort(key=lambda it: str(it["metadata"]["creationTimestamp"]), reverse=True)
    return [_base_backup(it) for it in found]


def _base_backup(it: Json) -> BaseBackup:
    status = part(it, "status")
    return BaseBackup(
        name=it["metadata"]["name"],
        state=_STATES.get(str(status.get("phase")), "running"),
        ended=status.get("stoppedAt"),
        error=str(status.get("error") or ""),
    )


def back_up(cluster: Cluster, name: str) -> BaseBackup:
    """Makes a base backup now, and waits for its end.

    Args:
        cluster: Where the Cluster is.
        name: The Cluster's name.

    Raises:
        Failure: It failed, or it does not begin.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    wanted = f"{name}-manual-{stamp}"
    # From the primary: a follower of an idle one waits for a segment that nobody closes.
    spec = {"cluster": {"name": name}, "method": "barmanObjectStore", "target": "primary"}
    body: Json = {
        "apiVersion": "postgresql.cnpg.io/v1",
        "kind": "Backup",
        "metadata": {"name": wanted},
        "spec": spec,
    }
    begin = time.monotonic()
    cluster.create("Backup", body)

    def now() -> BaseBackup:
        found = cluster.get("Backup", wanted)
        if not part(found, "status").get("phase") and time.monotonic() - begin > _STARTING_SECONDS:
            raise Failure(
                f"Nobody looks after the Backup {wanted}: see whether the CloudNativePG operator "
                "runs (docs/addons.md), then run this again."
            )
        return _base_backup(found)

    done = last_answer(now, lambda it: it.state != "running", _BACKUP_SECONDS)
    if done.state != "complete":
        reason = done.error[:300].rstrip(".") or "it did not end, or does not say why"
        raise Failure(f"The backup failed: {reason}; correct that, then run this again.")
    return done


def close_segment(stack: Stack, cluster: Cluster) -> None:
    """Brings all that is written by now into the object store.

    Raises:
        Failure: It is not archived.
    """
    out = database.sql(stack, cluster, _CLOSE, database="postgres", superuser=True)
    segment = out.split()[-1]

    def is_archived() -> bool:
        text = database.sql(stack, cluster, _ARCHIVER, database="postgres", superuser=True)
        return text.strip() >= segment

    wait_until(
        is_archived,
        _ARCHIVE_SECONDS,
        "The write-ahead log does not reach the object store; run `python -m ops validate`, which "
        "says why.",
    )


def since_archived(stack: Stack, cluster: Cluster) -> float | None:
    """Returns the seconds since a segment was archived; None: none was yet."""
    query = "SELECT extract(epoch FROM now() - last_archived_time) FROM pg_stat_archiver;"
    text = database.sql(stack, cluster, query, database="postgres", superuser=True).strip()
    return float(text) if text else None
