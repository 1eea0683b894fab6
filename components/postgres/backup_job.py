"""The CronJob that dumps a PostgreSQL database to a claim of its own."""

from dataclasses import dataclass

import pulumi_kubernetes as k8s

from ..metadata.labels import object_name
from ..metadata.scope import ObjectScope
from ..network.policies import declare_egress_policy, dns_rule
from ..pod.restricted import (
    container_resources,
    container_security,
    preferred_nodes,
    scratch_volume,
)
from ..pod.service_account import declare_service_account
from ..pod.spec import pod_spec
from ..values.postgres.backup import Backup
from .args import PostgresStatefulSetArgs
from .backup_claim import declare_backup_claim
from .backup_script import BACKUP_SCRIPT
from .certificate import CLIENT_MODE
from .password import password_file, password_mount, password_volume
from .pod import PORT, USER

core = k8s.core.v1
batch = k8s.batch.v1

CONTAINER = "backup"
"""Name of the pod's only container."""


@dataclass(frozen=True, kw_only=True)
class BackupResources:
    """What the backups of a server are made of."""

    cron_job: batch.CronJob
    claim: core.PersistentVolumeClaim
    """With the dumps; kept when the stack is destroyed."""
    service_account: core.ServiceAccount
    network_policy: k8s.networking.v1.NetworkPolicy
    """Lets the backups connect to the server and ask for its name, and nothing else."""


def declare_backup(
    scope: ObjectScope, server: ObjectScope, args: PostgresStatefulSetArgs, backup: Backup
) -> BackupResources:
    """Declares the CronJob and all that it needs.

    Args:
        scope: Names, labels and options of the backup's objects.
        server: The same of the server's.
        args: What the server was given.
        backup: When, how many and where.
    """
    claim = declare_backup_claim(scope, args, backup)
    account = declare_service_account(scope, args.service_account_annotations)
    policy = declare_egress_policy(
        f"{scope.name}-egress-policy",
        scope,
        [(server.selector, PORT)],
        dns=None if args.dns_cidrs is None else dns_rule(args.dns_cidrs),
    )
    template = core.PodTemplateSpecArgs(
        metadata=k8s.meta.v1.ObjectMetaArgs(
            labels=scope.labels, annotations=dict(args.pod_annotations) or None
        ),
        spec=_pod(args, backup, host=server.object_name, account=account, claim=claim),
    )
    cron_job = batch.CronJob(
        scope.name,
        metadata=scope.metadata(),
        spec=batch.CronJobSpecArgs(
            schedule=backup.schedule,
            time_zone="Etc/UTC",
            concurrency_policy="Forbid",
            starting_deadline_seconds=3600,
            successful_jobs_history_limit=1,
            failed_jobs_history_limit=2,
            job_template=batch.JobTemplateSpecArgs(
                metadata=k8s.meta.v1.ObjectMetaArgs(labels=scope.labels),
                spec=batch.JobSpecArgs(
                    backoff_limit=2,
                    active_deadline_seconds=3600,
                    ttl_seconds_after_finished=86400,
                    template=template,
                ),
            ),
        ),
        opts=scope.opts,
    )
    return BackupResources(
        cron_job=cron_job, claim=claim, service_account=account, network_policy=policy
    )


def _pod(
    args: PostgresStatefulSetArgs,
    backup: Backup,
    *,
    host: str,
    account: core.ServiceAccount,
    claim: core.PersistentVolumeClaim,
) -> core.PodSpecArgs:
    containers = [_container(args, backup, host)]
    spec = pod_spec(args, account=account, user=USER, containers=containers)
    spec.restart_policy = "Never"
    spec.affinity = preferred_nodes(args.preferred_nodes)
    spec.volumes = [
        core.VolumeArgs(
            name="backups",
            persistent_volume_claim=core.PersistentVolumeClaimVolumeSourceArgs(
                claim_name=object_name(claim)
            ),
        ),
        scratch_volume("tmp", "64Mi"),
        password_volume(args, host),
    ]
    return spec


def _container(args: PostgresStatefulSetArgs, backup: Backup, host: str) -> core.ContainerArgs:
    env = {
        "PGHOST": host,
        "PGDATABASE": args.database,
        "PGUSER": args.user,
        "PGCONNECT_TIMEOUT": "10",
        "PGSSLMODE": CLIENT_MODE,
        "PGCHANNELBINDING": CLIENT_MODE,
        "PASSWORD_FILE": password_file(args),
        "KEEP": str(backup.keep),
    }
    return core.ContainerArgs(
        name=CONTAINER,
        image=args.image,
        image_pull_policy="IfNotPresent",
        command=["/bin/sh", "-c", BACKUP_SCRIPT],
        env=[core.EnvVarArgs(name=key, value=value) for key, value in env.items()],
        resources=container_resources(backup.resources),
        security_context=container_security(),
        volume_mounts=[
            core.VolumeMountArgs(name="backups", mount_path="/backups"),
            core.VolumeMountArgs(name="tmp", mount_path="/tmp"),  # noqa: S108
            password_mount(),
        ],
    )
