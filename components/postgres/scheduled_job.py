"""What runs by a schedule beside a PostgreSQL server: its backups, and the proof of them."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import pulumi
import pulumi_kubernetes as k8s

from ..metadata.scope import ObjectScope
from ..pod.restricted import preferred_nodes
from ..pod.spec import PodArgs, pod_spec
from .pod import USER

core = k8s.core.v1
batch = k8s.batch.v1

LONGEST_SECONDS = 3600
"""After so long a run is ended."""


class ServerPodArgs(PodArgs, Protocol):
    """Arguments of a server that say where its pods run, and so what runs beside it."""

    @property
    def preferred_nodes(self) -> Mapping[str, str]:
        """Labels of the nodes that the pods prefer."""
        ...


def declare_scheduled_job(
    scope: ObjectScope,
    args: ServerPodArgs,
    *,
    schedule: str,
    retries: int,
    account: core.ServiceAccount,
    containers: Sequence[core.ContainerArgs],
    volumes: Sequence[core.VolumeArgs],
    user: int = USER,
    pod_annotations: Mapping[str, pulumi.Input[str]] | None = None,
) -> batch.CronJob:
    """Declares a CronJob, of which one run at a time goes on, for an hour at most.

    Args:
        scope: Names, labels and options.
        args: What the server was given.
        schedule: Cron line, in UTC. A run may begin an hour late.
        retries: How often a run that failed is tried again.
        account: Whom the pod runs as.
        containers: What it does, one after the other.
        volumes: With which volumes.
        user: User and group ID that it runs as.
        pod_annotations: Annotations of the pod.
    """
    *before, last = containers
    spec = pod_spec(args, account=account, user=user, containers=[last])
    spec.restart_policy = "Never"
    spec.affinity = preferred_nodes(args.preferred_nodes)
    spec.init_containers = before or None
    spec.volumes = [*volumes]
    template = core.PodTemplateSpecArgs(
        metadata=k8s.meta.v1.ObjectMetaArgs(
            labels=scope.labels, annotations=dict(pod_annotations or {}) or None
        ),
        spec=spec,
    )
    return batch.CronJob(
        scope.name,
        metadata=scope.metadata(),
        spec=batch.CronJobSpecArgs(
            schedule=schedule,
            time_zone="Etc/UTC",
            concurrency_policy="Forbid",
            starting_deadline_seconds=3600,
            successful_jobs_history_limit=1,
            failed_jobs_history_limit=2,
            job_template=batch.JobTemplateSpecArgs(
                metadata=k8s.meta.v1.ObjectMetaArgs(labels=scope.labels),
                spec=batch.JobSpecArgs(
                    backoff_limit=retries,
                    active_deadline_seconds=LONGEST_SECONDS,
                    ttl_seconds_after_finished=86400,
                    template=template,
                ),
            ),
        ),
        opts=scope.opts,
    )
