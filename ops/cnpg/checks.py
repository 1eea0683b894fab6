"""The check of `validate` on what an operator archives."""

from collections.abc import Iterator

from console.duration import age
from ops.cnpg.archive import archive, base_backups, since_archived
from ops.contract import ScheduledBackup
from ops.facts import Facts
from ops.findings import Finding, failed, ok, warning
from ops.moments import written
from ops.repair import REPAIR


def archiving(facts: Facts, cluster: str, backup: ScheduledBackup) -> Iterator[Finding]:
    """The log is archived, and there is a base backup to begin with.

    Args:
        facts: The cluster.
        cluster: Name of the database's Cluster.
        backup: Its base backups.
    """
    namespace = facts.cluster.namespace
    live = facts.cluster.find("Cluster", cluster)
    if live is None:
        return  # its own check says so
    name = backup.scheduled_backup
    if facts.cluster.find("ScheduledBackup", name) is None:
        yield failed("backup", f"ScheduledBackup {name} is missing", "it was deleted", REPAIR)
        return
    state, done = archive(live), base_backups(facts.cluster, cluster)
    look = f"kubectl describe cluster.postgresql.cnpg.io -n {namespace} {cluster}"
    if not state.works:
        yield failed(
            "backup",
            f"the write-ahead log is not archived: {state.reason[:200]}",
            "the object store is not reachable, refuses the credentials, or has another Cluster's "
            "log, beside which the operator writes none: then set another objectStore.prefix",
            look,
        )
        return
    if state.first is None:
        yield failed(
            "backup",
            "there is no base backup, so nothing can be recovered",
            done[0].error if done and done[0].error else "none was due yet",
            "python -m ops backup",
        )
        return
    seconds = since_archived(facts.stack, facts.cluster)
    detail = f"any moment since {written(state.first)}" + (
        f"; log archived {age(seconds)} ago" if seconds is not None else ""
    )
    if done and done[0].state == "failed":
        yield warning(
            "backup",
            f"{detail}; the newest base backup failed",
            done[0].error[:200] or "it does not say why",
            "python -m ops backup",
        )
        return
    yield ok("backup", detail)
