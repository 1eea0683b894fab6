"""The CronJob that dumps a PostgreSQL database, to a claim of its own or to an object store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

import pulumi_kubernetes as k8s

from ..metadata.labels import object_name
from ..metadata.scope import ObjectScope
from ..network.policies import declare_egress_policy, dns_rule
from ..pod.restricted import container_resources, container_security, scratch_volume
from ..pod.service_account import declare_service_account
from ..values.postgres.backup import Backup
from ..values.postgres.sizes import staged_backup_resources
from ..values.resources import Resources
from .args import BackupStore, PostgresStatefulSetArgs
from .backup_claim import declare_backup_claim
from .backup_script import BACKUP_SCRIPT, DUMP_SCRIPT
from .certificate import CLIENT_MODE
from .password import password_file, password_mount, password_volume
from .pod import PORT
from .scheduled_job import declare_scheduled_job
from .store_container import (
    DUMPS,
    NewestDump,
    StoreFiles,
    declare_store_files,
    fetch_newest,
    store_container,
    store_destination,
    store_volumes,
)

core = k8s.core.v1
batch = k8s.batch.v1

CONTAINER = "backup"
"""Name of the container that has PostgreSQL's programs."""


@dataclass(frozen=True, kw_only=True)
class BackupResources:
    """What the backups of a server are made of."""

    cron_job: batch.CronJob
    claim: core.PersistentVolumeClaim | None
    """With the dumps, kept when the stack is destroyed; None: an object store has them."""
    newest: core.PersistentVolumeClaim | NewestDump
    """By which a pod comes to the newest dump."""
    service_account: core.ServiceAccount
    network_policy: k8s.networking.v1.NetworkPolicy
    """Lets the backups connect to the server and the store and ask for names, and nothing else."""


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
    match args.backup_store:
        case None:
            newest = claim = declare_backup_claim(scope, args, backup)
            work = _to_volume(args, backup, server.object_name, claim)
            reached = []
        case BackupStore() as store:
            claim, files = None, declare_store_files(scope, store)
            newest = fetch_newest(args, backup, store, files)
            work = _to_store(args, backup, store, server.object_name, files)
            reached = [store_destination(store)]
        case _:
            assert_never(args.backup_store)
    account = declare_service_account(scope, args.service_account_annotations)
    policy = declare_egress_policy(
        f"{scope.name}-egress-policy",
        scope,
        [(server.selector, PORT), *reached],
        dns=None if args.dns_cidrs is None else dns_rule(args.dns_cidrs),
    )
    cron_job = declare_scheduled_job(
        scope,
        args,
        pod_annotations=args.pod_annotations,
        schedule=backup.schedule,
        retries=2,
        account=account,
        containers=work.containers,
        volumes=work.volumes,
    )
    return BackupResources(
        cron_job=cron_job,
        claim=claim,
        newest=newest,
        service_account=account,
        network_policy=policy,
    )


@dataclass(frozen=True, kw_only=True)
class _Work:
    """What a backup's pod does, one container after the other, and with which volumes."""

    containers: Sequence[core.ContainerArgs]
    volumes: Sequence[core.VolumeArgs]


def _to_volume(
    args: PostgresStatefulSetArgs, backup: Backup, host: str, claim: core.PersistentVolumeClaim
) -> _Work:
    volume = core.VolumeArgs(
        name="backups",
        persistent_volume_claim=core.PersistentVolumeClaimVolumeSourceArgs(
            claim_name=object_name(claim)
        ),
    )
    dump = _container(
        args, host, BACKUP_SCRIPT, backup.resources, environment={"KEEP": str(backup.keep)}
    )
    return _Work(
        containers=[dump],
        volumes=[volume, scratch_volume("tmp", "64Mi"), password_volume(args, host)],
    )


def _to_store(
    args: PostgresStatefulSetArgs,
    backup: Backup,
    store: BackupStore,
    host: str,
    files: StoreFiles,
) -> _Work:
    dump = _container(
        args,
        host,
        DUMP_SCRIPT,
        staged_backup_resources(backup.storage_size),
        environment={"ROOM_SETTING": args.input_names.backup_storage_size},
    )
    return _Work(
        containers=[dump, store_container(args, backup, store, "put")],
        volumes=[
            *store_volumes(backup, store, files),
            scratch_volume("tmp", "64Mi"),
            password_volume(args, host),
        ],
    )


def _container(
    args: PostgresStatefulSetArgs,
    host: str,
    script: str,
    resources: Resources,
    *,
    environment: Mapping[str, str],
) -> core.ContainerArgs:
    env = {
        "PGHOST": host,
        "PGDATABASE": args.database,
        "PGUSER": args.user,
        "PGCONNECT_TIMEOUT": "10",
        "PGSSLMODE": CLIENT_MODE,
        "PGCHANNELBINDING": CLIENT_MODE,
        "PASSWORD_FILE": password_file(args),
        **environment,
    }
    return core.ContainerArgs(
        name=CONTAINER,
        image=args.image,
        image_pull_policy="IfNotPresent",
        command=["/bin/sh", "-c", script],
        env=[core.EnvVarArgs(name=key, value=value) for key, value in env.items()],
        resources=container_resources(resources),
        security_context=container_security(),
        volume_mounts=[
            core.VolumeMountArgs(name="backups", mount_path=DUMPS),
            core.VolumeMountArgs(name="tmp", mount_path="/tmp"),  # noqa: S108
            password_mount(),
        ],
    )
