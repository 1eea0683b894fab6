"""What commands found out, noted on the cluster: alerts on it need somebody who remembers.

The notes are annotations, which kube-state-metrics can show (docs/addons.md). Pulumi leaves them
alone, since the program declares none of their names.
"""

from cluster_objects.json_tree import Json
from cluster_objects.stack_mark import ANNOTATION_PREFIX
from console.failure import ExitCode, Failure
from ops.contract import Operations
from ops.kube import Cluster

DRILL = f"{ANNOTATION_PREFIX}/restore-drill"
"""On the CronJob of the backups, or where there is none on that of the drills: `ok` or `failed`."""
DRIFT = f"{ANNOTATION_PREFIX}/drift"
"""On a Deployment of the stack: `none` or `found`."""


def note_drill(cluster: Cluster, cron_job: str, *, good: bool) -> None:
    """Notes whether the newest restore drill succeeded.

    Args:
        cluster: The stack's.
        cron_job: Name of the CronJob that remembers it.
        good: Whether it did.
    """
    cluster.patch("CronJob", cron_job, _note(DRILL, "ok" if good else "failed"))


def note_drift(cluster: Cluster, contract: Operations, *, found: bool) -> None:
    """Notes whether the cluster is what Pulumi remembers.

    Args:
        cluster: The stack's.
        contract: What is deployed.
        found: Whether there is drift.

    Raises:
        Failure: The stack has no Deployment.
    """
    for service in contract.services:
        if service.kind == "Deployment":
            cluster.patch(
                "Deployment", service.workload, _note(DRIFT, "found" if found else "none")
            )
            return
    raise Failure("This stack has no Deployment to note it on; leave out --record.", ExitCode.USAGE)


def _note(key: str, value: str) -> Json:
    return {"metadata": {"annotations": {key: value}}}
