"""Scheduled logical backups of a PostgreSQL database to a claim of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from ..cluster.api import Api
from ..metadata.labels import labels, selector
from ..metadata.labels import object_name as name_of
from ..pod.restricted import (
    container_resources,
    container_security,
    pod_security,
    preferred_nodes,
    scratch_volume,
    secret_references,
)
from ..values.resources import Resources
from .backup_claim import declare_claim
from .backup_script import BACKUP_SCRIPT
from .certificate import CLIENT_MODE
from .pod import (
    PASSWORD_KEY,
    SECRETS_PATH,
    USER,
    password_mount,
    password_volume,
)

core = k8s.core.v1
RESOURCES = Resources(
    cpu_request="50m", cpu_limit="500m", memory_request="64Mi", memory_limit="256Mi"
)


@dataclass(frozen=True, kw_only=True)
class Backup:
    """When to dump the database, and how many dumps to keep."""

    schedule: str = "17 3 * * *"
    """Cron line, in UTC."""
    keep: int = 7
    storage_size: str = "1Gi"
    storage_class: str | None = None


def declare_backup(
    name: str,
    backup: Backup,
    *,
    namespace: pulumi.Input[str],
    object_name: str,
    instance: str,
    image: pulumi.Input[str],
    pull_secrets: Sequence[str],
    host: str,
    database: str,
    user: str,
    secret_name: pulumi.Input[str],
    volume_nodes: Mapping[str, str],
    api: Api | None,
    opts: pulumi.ResourceOptions,
) -> None:
    """Declares the claim and the CronJob; the claim is kept when the stack is destroyed."""
    job_name = f"{name}-backup"
    own_labels = labels(object_name, instance, "backup")
    metadata = k8s.meta.v1.ObjectMetaArgs(name=object_name, namespace=namespace, labels=own_labels)
    claim = declare_claim(
        f"{job_name}-claim",
        namespace=namespace,
        object_name=object_name,
        labels=own_labels,
        size=backup.storage_size,
        storage_class=backup.storage_class,
        api=api,
        opts=opts,
    )
    account = core.ServiceAccount(
        f"{job_name}-account",
        metadata=metadata,
        automount_service_account_token=False,
        opts=opts,
    )
    env = {
        "PGHOST": host,
        "PGDATABASE": database,
        "PGUSER": user,
        "PGCONNECT_TIMEOUT": "10",
        "PGSSLMODE": CLIENT_MODE,
        "PGCHANNELBINDING": CLIENT_MODE,
        "PASSWORD_FILE": f"{SECRETS_PATH}/{PASSWORD_KEY}",
        "KEEP": str(backup.keep),
    }
    pod = core.PodSpecArgs(
        service_account_name=name_of(account),
        automount_service_account_token=False,
        enable_service_links=False,
        image_pull_secrets=secret_references(pull_secrets),
        restart_policy="Never",
        affinity=preferred_nodes(volume_nodes),
        security_context=pod_security(USER, USER),
        containers=[
            core.ContainerArgs(
                name="backup",
                image=image,
                image_pull_policy="IfNotPresent",
                command=["/bin/sh", "-c", BACKUP_SCRIPT],
                env=[core.EnvVarArgs(name=key, value=value) for key, value in env.items()],
                resources=container_resources(RESOURCES),
                security_context=container_security(),
                volume_mounts=[
                    core.VolumeMountArgs(name="backups", mount_path="/backups"),
                    core.VolumeMountArgs(name="tmp", mount_path="/tmp"),  # noqa: S108
                    password_mount(),
                ],
            )
        ],
        volumes=[
            core.VolumeArgs(
                name="backups",
                persistent_volume_claim=core.PersistentVolumeClaimVolumeSourceArgs(
                    claim_name=name_of(claim)
                ),
            ),
            scratch_volume("tmp", "64Mi"),
            password_volume(secret_name),
        ],
    )
    k8s.batch.v1.CronJob(
        job_name,
        metadata=metadata,
        spec=k8s.batch.v1.CronJobSpecArgs(
            schedule=backup.schedule,
            time_zone="Etc/UTC",
            concurrency_policy="Forbid",
            starting_deadline_seconds=3600,
            successful_jobs_history_limit=1,
            failed_jobs_history_limit=2,
            job_template=k8s.batch.v1.JobTemplateSpecArgs(
                metadata=k8s.meta.v1.ObjectMetaArgs(labels=own_labels),
                spec=k8s.batch.v1.JobSpecArgs(
                    backoff_limit=2,
                    active_deadline_seconds=3600,
                    ttl_seconds_after_finished=86400,
                    template=core.PodTemplateSpecArgs(
                        metadata=k8s.meta.v1.ObjectMetaArgs(labels=own_labels), spec=pod
                    ),
                ),
            ),
        ),
        opts=opts,
    )


def backup_selector(name: str, instance: str) -> dict[str, str]:
    """Returns the labels of the backup's pods."""
    return selector(f"{name}-backup", instance)
