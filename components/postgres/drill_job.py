"""The CronJob that proves that the newest backup of a PostgreSQL database can be restored."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

import pulumi_kubernetes as k8s

from ..metadata.labels import object_name
from ..metadata.scope import ObjectScope
from ..network.policies import Peer, declare_egress_policy, dns_rule
from ..pod.restricted import scratch_volume
from ..pod.service_account import declare_service_account
from ..values.postgres.backup import Drill
from ..values.postgres.sizes import drill_scratch
from .args import PostgresStatefulSetArgs
from .drill_container import SCRATCH, SCRATCH_VOLUME, drill_container
from .drill_script import DRILL_SCRIPT
from .scheduled_job import declare_scheduled_job
from .store_container import NewestDump

core = k8s.core.v1
batch = k8s.batch.v1

_BACKUPS = "/backups"


@dataclass(frozen=True, kw_only=True)
class DrillResources:
    """What the restore drills of a server are made of."""

    cron_job: batch.CronJob
    service_account: core.ServiceAccount
    network_policy: k8s.networking.v1.NetworkPolicy
    """Lets a drill connect to nobody but an object store that has the backups: it runs a server of
    its own."""


def declare_drill(
    scope: ObjectScope,
    args: PostgresStatefulSetArgs,
    drill: Drill,
    *,
    backups: core.PersistentVolumeClaim | NewestDump,
) -> DrillResources:
    """Declares the CronJob and all that it needs.

    Args:
        scope: Names, labels and options of the drill's objects.
        args: What the server was given.
        drill: When it runs.
        backups: The claim with the dumps, which it only reads; or what fetches the newest.
    """
    account = declare_service_account(scope, args.service_account_annotations)
    work = _work(backups)
    policy = declare_egress_policy(
        f"{scope.name}-egress-policy",
        scope,
        work.reached,
        dns=dns_rule(args.dns_cidrs) if work.reached and args.dns_cidrs is not None else None,
    )
    cron_job = declare_scheduled_job(
        scope,
        args,
        pod_annotations=args.pod_annotations,
        schedule=drill.schedule,
        # For a node that goes away; a backup that is broken stays so.
        retries=1,
        account=account,
        containers=[*work.before, _container(args, work)],
        volumes=[*work.volumes, scratch_volume(SCRATCH_VOLUME, drill_scratch(args.storage_size))],
    )
    return DrillResources(cron_job=cron_job, service_account=account, network_policy=policy)


@dataclass(frozen=True, kw_only=True)
class _Work:
    """How a drill comes by the newest dump."""

    before: Sequence[core.ContainerArgs] = ()
    volumes: Sequence[core.VolumeArgs]
    staged: str = "0"
    """The most that the dump takes of the node's disk."""
    reached: Sequence[tuple[Peer, int]] = ()


def _work(backups: core.PersistentVolumeClaim | NewestDump) -> _Work:
    match backups:
        case NewestDump():
            return _Work(
                before=[backups.init_container],
                volumes=backups.volumes,
                staged=backups.staged,
                reached=[backups.destination],
            )
        case core.PersistentVolumeClaim():
            claim = core.PersistentVolumeClaimVolumeSourceArgs(
                claim_name=object_name(backups), read_only=True
            )
            return _Work(volumes=[core.VolumeArgs(name="backups", persistent_volume_claim=claim)])
        case _:
            assert_never(backups)


def _container(args: PostgresStatefulSetArgs, work: _Work) -> core.ContainerArgs:
    env = {
        "PGDATABASE": args.database,
        "PGUSER": args.user,
        "BACKUPS": _BACKUPS,
        "SCRATCH": SCRATCH,
    }
    return drill_container(
        args.image,
        DRILL_SCRIPT,
        env,
        storage_size=args.storage_size,
        mounts={"backups": _BACKUPS, SCRATCH_VOLUME: SCRATCH},
        staged=work.staged,
    )
