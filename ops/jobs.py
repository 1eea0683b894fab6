"""Jobs made from the backup CronJob: same image, volume, account and network rules."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cluster_objects.json_tree import Json, part, parts
from console.failure import ExitCode, Failure
from ops.diagnosis import diagnose_pod
from ops.kube import Cluster
from ops.repair import REPAIR
from ops.stack import Stack
from ops.terminal import note
from ops.workloads import is_ready

_STARTING_SECONDS = 120.0


@dataclass(frozen=True)
class Done:
    """A finished job."""

    lines: list[str]
    seconds: float
    """From its creation to its end."""


def backup_cron_job(stack: Stack, cluster: Cluster) -> Json:
    """Returns the CronJob that writes the backups.

    Raises:
        Failure: The stack has none.
    """
    backup = stack.contract.required_server().backup
    if backup is None:
        raise Failure(
            "This stack makes no backups; set database.backup in its settings, then pulumi up.",
            ExitCode.USAGE,
        )
    found = cluster.find("CronJob", backup.cron_job)
    if found is None:
        raise Failure(f"The CronJob {backup.cron_job} is missing; put it back: {REPAIR}")
    return found


def script_of(cron_job: Json) -> str:
    """Returns the shell script that the CronJob runs."""
    template: Any = cron_job["spec"]["jobTemplate"]["spec"]["template"]
    return str(template["spec"]["containers"][0]["command"][-1])


def job_of(
    cron_job: Json, purpose: str, script: str | None, environment: Mapping[str, str]
) -> Json:
    """Returns a Job with the CronJob's pod.

    Args:
        cron_job: The CronJob.
        purpose: Part of its name.
        script: What the shell runs; None: what the CronJob runs. Then the Job is the CronJob's, as
            with `kubectl create job --from`, so that its success counts as a backup.
        environment: Variables on top of the CronJob's.
    """
    template: Any = cron_job["spec"]["jobTemplate"]["spec"]["template"]
    container: Any = dict(template["spec"]["containers"][0])
    if script is not None:
        container["command"] = ["/bin/sh", "-c", script]
    given = [e for e in parts(container, "env") if e["name"] not in environment]
    container["env"] = [*given, *({"name": k, "value": v} for k, v in environment.items())]
    tail = f"-{purpose}-{datetime.now(UTC).strftime('%H%M%S')}-{secrets.token_hex(2)}"
    # A pod's label has the name, so it has at most 63 characters.
    name = f"{cron_job['metadata']['name'][: 63 - len(tail)]}{tail}"
    metadata: Any = {"name": name, "labels": cron_job["metadata"].get("labels", {})}
    if script is None:
        owner = {key: cron_job["metadata"][key] for key in ("name", "uid")}
        owner |= {"apiVersion": "batch/v1", "kind": "CronJob", "controller": True}
        metadata["ownerReferences"] = [owner]
        metadata["annotations"] = {"cronjob.kubernetes.io/instantiate": "manual"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": cron_job["spec"]["jobTemplate"]["spec"].get(
                "activeDeadlineSeconds", 3600
            ),
            # Whatever happens to this command, the Job goes by itself.
            "ttlSecondsAfterFinished": 600,
            "template": {
                "metadata": {"labels": template["metadata"].get("labels", {})},
                "spec": {**template["spec"], "containers": [container]},
            },
        },
    }


def run_job(
    cluster: Cluster,
    cron_job: Json,
    purpose: str,
    script: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Done:
    """Runs a Job to its end, removes it, and returns what it printed.

    One that is the CronJob's is left to its limit of finished jobs, which counts it first.

    Raises:
        Failure: It failed or did not start; the sentence has its last line.
    """
    begin = time.monotonic()
    body = job_of(cron_job, purpose, script, environment or {})
    cluster.create("Job", body)
    name = body["metadata"]["name"]
    succeeded = False
    try:
        succeeded = _wait(cluster, name, begin)
        seconds = time.monotonic() - begin
        container = body["spec"]["template"]["spec"]["containers"][0]["name"]
        lines = _lines(cluster, name, container)
        if not succeeded:
            last = lines[-1] if lines else "it printed nothing"
            reason = last[:300].rstrip(".")
            raise Failure(f"The job {purpose} failed: {reason}; correct that, then run this again.")
        return Done(lines, seconds)
    finally:
        if script is not None or not succeeded:
            cluster.delete("Job", name)


def _wait(cluster: Cluster, name: str, begin: float) -> bool:
    """Returns whether it succeeded; its own activeDeadlineSeconds ends one that hangs."""
    while True:
        job = cluster.find("Job", name)
        if job is None:
            raise Failure("The job was deleted while it ran; run this again.")
        status = part(job, "status")
        if status.get("succeeded"):
            return True
        if status.get("failed"):
            return False
        if time.monotonic() - begin > _STARTING_SECONDS:
            _explain_pending(cluster, name)
        time.sleep(0.5)


def _explain_pending(cluster: Cluster, name: str) -> None:
    pods = cluster.pods(f"job-name={name}")
    if any(is_ready(pod) or pod["status"].get("phase") == "Running" for pod in pods):
        return
    events = cluster.items("Event")
    reasons = [found for pod in pods if (found := diagnose_pod(pod, events))]
    reasons_text = f"{reasons[0].detail}; next: {reasons[0].command}" if reasons else "no pod came"
    raise Failure(f"The job's pod did not start within {_STARTING_SECONDS:.0f} s: {reasons_text}")


def _lines(cluster: Cluster, name: str, container: str) -> list[str]:
    lines: list[str] = []
    for pod in cluster.pods(f"job-name={name}"):
        try:
            lines += cluster.log(pod["metadata"]["name"], {"container": container})
        except Failure as failure:
            note(str(failure))
    return [line for line in lines if line.strip()]
