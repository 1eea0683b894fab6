"""Jobs made from the backup CronJob: same images, volumes, account and network rules."""

import secrets
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, assert_never

from cluster_objects.json_tree import Json, part, parts
from console.failure import ExitCode, Failure
from ops.diagnosis import container_states, diagnose_pod
from ops.kube import Cluster
from ops.repair import REPAIR
from ops.retry import BrokenError
from ops.servers import stateful_set
from ops.stack import Stack
from ops.terminal import note

_STARTING_SECONDS = 120.0
_LOG_ATTEMPTS = 3
"""To read a log to its end."""


class JobFailed(Failure):
    """A job ran to its end and failed."""

    def __init__(self, sentence: str, lines: Sequence[str]) -> None:
        """Keeps the sentence and all that the job printed.

        Args:
            sentence: What happened and what to do next.
            lines: What it printed.
        """
        super().__init__(sentence)
        self.lines = lines


@dataclass(frozen=True)
class Script:
    """A shell script in the container that has PostgreSQL's programs."""

    text: str
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """Variables on top of the CronJob's."""


@dataclass(frozen=True)
class Stored:
    """What the container does that reaches the object store."""

    verb: str
    """The last argument of the CronJob's own script."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """Variables on top of the CronJob's."""


Step = Script | Stored
"""One container of a job's pod; the next one starts when it has ended well."""


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
    backup = stateful_set(stack, "There are no backups as files").backup
    if backup is None:
        raise Failure(
            "This stack makes no backups; set database.backup in its settings, then pulumi up.",
            ExitCode.USAGE,
        )
    return _cron_job(cluster, backup.cron_job)


def drill_cron_job(stack: Stack, cluster: Cluster) -> Json:
    """Returns the CronJob that proves that the newest backup can be restored.

    Raises:
        Failure: The stack has none.
    """
    drill = stack.contract.drill
    if drill is None:
        raise Failure(
            "This stack's drills have no schedule; set database.backup.drill to {} in its "
            "settings, then pulumi up, or leave out --scheduled.",
            ExitCode.USAGE,
        )
    return _cron_job(cluster, drill.cron_job)


def _cron_job(cluster: Cluster, name: str) -> Json:
    found = cluster.find("CronJob", name)
    if found is None:
        raise Failure(f"The CronJob {name} is missing; put it back: {REPAIR}")
    return found


def script_of(cron_job: Json) -> str:
    """Returns the shell script by which the CronJob dumps the database."""
    return str(_containers(cron_job)[0]["command"][-1])


def job_of(cron_job: Json, purpose: str, steps: Sequence[Step] | None) -> Json:
    """Returns a Job with the CronJob's pod.

    Args:
        cron_job: The CronJob.
        purpose: Part of its name.
        steps: What it does, one after the other; None: what the CronJob does. Then the Job is the
            CronJob's, as with `kubectl create job --from`, so that its success counts as a backup.
    """
    template: Any = cron_job["spec"]["jobTemplate"]["spec"]["template"]
    pod = dict(template["spec"])
    if steps is not None:
        containers = [_container(cron_job, step, n) for n, step in enumerate(steps)]
        pod |= {"initContainers": containers[:-1], "containers": containers[-1:]}
    tail = f"-{purpose}-{datetime.now(UTC).strftime('%H%M%S')}-{secrets.token_hex(2)}"
    # A pod's label has the name, so it has at most 63 characters.
    name = f"{cron_job['metadata']['name'][: 63 - len(tail)]}{tail}"
    metadata: Any = {"name": name, "labels": cron_job["metadata"].get("labels", {})}
    if steps is None:
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
                "spec": pod,
            },
        },
    }


def _containers(cron_job: Json) -> list[Any]:
    """Returns the CronJob's containers in their order: what dumps, and what stores, if it does."""
    pod: Any = cron_job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return [*(pod.get("initContainers") or ()), *pod["containers"]]


def _container(cron_job: Json, step: Step, number: int) -> Json:
    dumping, *storing = _containers(cron_job)
    match step:
        case Script(text=text):
            container = {**dumping, "command": ["/bin/sh", "-c", text]}
        case Stored(verb=verb):
            container = {**storing[0], "args": [verb]}
        case _:
            assert_never(step)
    given = [e for e in parts(container, "env") if e["name"] not in step.environment]
    added = [{"name": key, "value": value} for key, value in step.environment.items()]
    # Two containers of a pod have two names.
    name = {"name": f"{container['name']}-{number}"} if number else {}
    return {**container, **name, "env": [*given, *added]}


def run_job(
    cluster: Cluster,
    cron_job: Json,
    purpose: str,
    steps: Sequence[Step] | None = None,
) -> Done:
    """Runs a Job to its end, removes it, and returns what it printed.

    One that is the CronJob's is left to its limit of finished jobs, which counts it first.

    Raises:
        JobFailed: It failed; the sentence has its last line.
        Failure: It did not start, or somebody deleted it.
    """
    begin = time.monotonic()
    body = job_of(cron_job, purpose, steps)
    cluster.create("Job", body)
    name = body["metadata"]["name"]
    succeeded = False
    try:
        succeeded = _wait(cluster, name)
        seconds = time.monotonic() - begin
        pod: Any = body["spec"]["template"]["spec"]
        containers = [*(pod.get("initContainers") or ()), *pod["containers"]]
        # Of one that failed each line may say why; what one has done is known by all that it says.
        lines = _lines(cluster, name, [it["name"] for it in containers], whole=succeeded)
        if not succeeded:
            last = lines[-1] if lines else "it printed nothing"
            reason = last[:300].rstrip(".")
            sentence = f"The job {purpose} failed: {reason}; correct that, then run this again."
            raise JobFailed(sentence, lines)
        return Done(lines, seconds)
    finally:
        if steps is not None or not succeeded:
            cluster.delete("Job", name)


def _wait(cluster: Cluster, name: str) -> bool:
    """Returns whether it succeeded; its own activeDeadlineSeconds ends one that hangs."""
    since, seen = time.monotonic(), set[tuple[str, str]]()
    while True:
        job = cluster.find("Job", name)
        if job is None:
            raise Failure("The job was deleted while it ran; run this again.")
        status = part(job, "status")
        if status.get("succeeded"):
            return True
        if status.get("failed"):
            return False
        pods = cluster.pods(f"job-name={name}")
        states = _states(pods)
        # Pending is a pod whose first containers run, too; and a job learns late of its end.
        if states != seen or any(state == "running" for _, state in states):
            since, seen = time.monotonic(), states
        elif time.monotonic() - since > _STARTING_SECONDS:
            raise _stuck(cluster, pods)
        time.sleep(0.5)


def _states(pods: Sequence[Json]) -> set[tuple[str, str]]:
    """Returns the containers of a job's pods, and whether each waits, runs or has ended."""
    return {
        (f"{pod['metadata']['name']} {it['name']}", state)
        for pod in pods
        for it in container_states(pod)
        for state in part(it, "state")
    }


def _stuck(cluster: Cluster, pods: Sequence[Json]) -> Failure:
    events = cluster.items("Event")
    reasons = [found for pod in pods if (found := diagnose_pod(pod, events))]
    why = f"{reasons[0].detail}; next: {reasons[0].command}" if reasons else "no pod came"
    if pods and not reasons:
        why = "the cluster does not go on with it; run this again"
    return Failure(f"The job's pod did not start within {_STARTING_SECONDS:.0f} s: {why}")


def _lines(cluster: Cluster, name: str, containers: Sequence[str], *, whole: bool) -> list[str]:
    """Returns what a job's containers printed; why its pod was removed, where that is why.

    Raises:
        Failure: It cannot be read, and has to be whole.
    """
    lines: list[str] = []
    for pod in cluster.pods(f"job-name={name}"):
        status = part(pod, "status")
        begun = {
            it["name"]
            for it in (*parts(status, "initContainerStatuses"), *parts(status, "containerStatuses"))
            if "waiting" not in part(it, "state")
        }
        # Those behind one that failed have never begun.
        for container in (it for it in containers if it in begun or len(containers) == 1):
            try:
                lines += _printed(cluster, pod["metadata"]["name"], container)
            except Failure as failure:
                if whole:
                    raise Failure(
                        f"The job {name} ended well, but what it said cannot be read: {failure}",
                        failure.code,
                    ) from None
                note(str(failure))
        if status.get("reason") == "Evicted":
            lines.append(str(status.get("message")))
    return [line for line in lines if line.strip()]


def _printed(cluster: Cluster, pod: str, container: str) -> list[str]:
    for _ in range(_LOG_ATTEMPTS - 1):
        with suppress(BrokenError):
            return [*cluster.log(pod, {"container": container})]
        time.sleep(1)
    return [*cluster.log(pod, {"container": container})]
