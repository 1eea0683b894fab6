"""The check of `validate` on the object store that backups go to."""

from collections.abc import Iterator

from ops.contract import InClusterDatabase
from ops.facts import Facts
from ops.findings import Finding, failed, ok
from ops.jobs import JobFailed, Stored, backup_cron_job, run_job


def object_store(facts: Facts) -> Iterator[Finding]:
    """The store answers where the backups ask it, and its credentials and key open it.

    Asked by a pod of the cluster, as the backups do: this machine may reach it in another way.
    """
    server = facts.stack.contract.server
    if not isinstance(server, InClusterDatabase) or server.backup is None:
        return
    store = server.backup.store
    if store is None:
        return
    cron_job = backup_cron_job(facts.stack, facts.cluster)
    try:
        run_job(facts.cluster, cron_job, "check", [Stored("check")])
    except JobFailed as failure:
        detail = failure.lines[-1] if failure.lines else str(failure)
        yield failed(
            "object store", detail, "no backup can be written or read now", "python -m ops backup"
        )
        return
    yield ok("object store", f"{store.address} answers, and the key opens it")
