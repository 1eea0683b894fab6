"""A backup before what might need one: the way back for the data."""

import re
from typing import assert_never

from cluster_objects.json_tree import part
from cluster_objects.preview import Plan
from console.failure import Failure
from ops import database, invocation
from ops.cnpg.archive import archive
from ops.context import Target
from ops.contract import ExternalDatabase, InClusterDatabase, Operations, OperatorDatabase
from ops.jobs import backup_cron_job, run_job
from ops.terminal import progress, say

_WROTE = re.compile(r"wrote \S*?([^/\s]+\.dump)")
_MOMENT = """SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"');"""
_KINDS = ("StatefulSet", "PersistentVolumeClaim", "PersistentVolume", "Cluster")


def is_wanted(plan: Plan, contract: Operations) -> bool:
    """Returns whether an update might change data: a new image of what writes, or the server.

    What is made where there is none has no data yet.

    Args:
        plan: What the update would do.
        contract: What the stack says to operations.
    """
    writers = {it.workload for it in contract.services if it.writes_to_database}
    return any(
        (step.kind in _KINDS and step.op != "create")
        or (step.kind == "Deployment" and step.name in writers and step.changes_images)
        for step in plan.steps
    )


def make(to: Target) -> str | None:
    """Makes sure of a way back for the data: a backup as the schedule's, or a moment.

    Returns:
        The options of `restore` that go that way; None: there is none, which was said.

    Raises:
        Failure: The backup failed.
    """
    match found := to.stack.contract.database:
        case ExternalDatabase():
            say("  no restore point: the database is outside the cluster")
        case InClusterDatabase(backup=None) | OperatorDatabase(backup=None):
            say("  no restore point: the database makes no backups")
        case OperatorDatabase():
            if moment := _moment(to, found):
                return f"--to {moment}"
        case InClusterDatabase():
            if name := _back_up(to):
                return f"--dump {name}"
        case _:
            assert_never(found)
    return None


def _moment(to: Target, found: OperatorDatabase) -> str | None:
    """Returns the moment that the server has, to which its archive leads back."""
    live = to.cluster.find("Cluster", found.cluster)
    if not part(live, "status").get("readyInstances"):
        _say_that_it_does_not_run()
        return None
    state = archive(live or {})
    if not state.works:
        raise _missing(to, f"the log is not archived: {state.reason}")
    if state.first is None:
        make = invocation.ops(to.stack.pulumi.name, "backup")
        raise _missing(to, f"there is no base backup yet; make one: {make}")
    moment = database.sql(to.stack, to.cluster, _MOMENT).strip()
    say(f"  restore point: {moment}")
    return moment


def _back_up(to: Target) -> str | None:
    try:
        database.require_ready(to.stack, to.cluster)
    except Failure:
        _say_that_it_does_not_run()
        return None
    try:
        with progress("Making a restore point"):
            done = run_job(to.cluster, backup_cron_job(to.stack, to.cluster), "manual")
    except Failure as failure:
        raise _missing(to, str(failure)) from None
    names = [found[1] for line in done.lines if (found := _WROTE.search(line))]
    if not names:
        listed = invocation.ops(to.stack.pulumi.name, "backups")
        say(f"  restore point: made, but it does not say its name; see {listed}", "yellow")
        return None
    say(f"  restore point: {' '.join(names)}, {done.seconds:.1f} s")
    return names[-1]


def _say_that_it_does_not_run() -> None:
    # It may be what the update is to mend.
    say("  no restore point: the database does not run", "yellow")


def _missing(to: Target, why: str) -> Failure:
    without = invocation.ops(to.stack.pulumi.name, "release --no-restore-point")
    return Failure(
        f"There is no restore point ({why.rstrip('.')}); mend that, or release without one: "
        f"`{without}`; nothing was changed."
    )
