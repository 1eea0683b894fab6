"""The CronJob that proves that what a PostgresCluster has archived can be recovered."""

import pulumi
import pulumi_kubernetes as k8s

from ..metadata.labels import object_name
from ..metadata.scope import ObjectScope
from ..network.policies import addresses, declare_egress_policy, dns_rule
from ..pod.restricted import scratch_volume
from ..pod.service_account import declare_service_account
from ..postgres.drill_container import SCRATCH, SCRATCH_VOLUME, drill_container
from ..postgres.drill_job import DrillResources
from ..postgres.scheduled_job import LONGEST_SECONDS, declare_scheduled_job
from ..secrets.volume import secret_volume
from ..values.postgres.backup import Drill
from ..values.postgres.cluster import ContinuousBackup
from ..values.postgres.sizes import drill_scratch
from ..values.quantities import quantity_value
from .args import PostgresClusterArgs, StoreCredentials
from .backup import AUTHORITY_KEY, destination
from .drill_script import DRILL_SCRIPT

core = k8s.core.v1

_USER = 26
"""User `postgres` of CloudNativePG's images."""
_SECRETS = "/run/secrets/store"
_AUTHORITY = "/run/authority"
_PAUSE = 10
"""Seconds until a segment that the store did not give is asked for once more."""
_TO_END = 120
"""Seconds that a drill has to say that recovery took too long, and to read all rows."""


def declare_drill(
    scope: ObjectScope,
    args: PostgresClusterArgs,
    drill: Drill,
    *,
    backup: ContinuousBackup,
    credentials: StoreCredentials,
    archive: pulumi.Input[str],
    authority: core.Secret | None,
) -> DrillResources:
    """Declares the CronJob and all that it needs; it has no right in the cluster.

    Args:
        scope: Names, labels and options of the drill's objects.
        args: What the cluster was given.
        drill: When it runs.
        backup: Where the archive is.
        credentials: What opens the store.
        archive: The archive's name.
        authority: Who signs the store's certificate, if no public authority does.
    """
    account = declare_service_account(scope, {})
    policy = declare_egress_policy(
        f"{scope.name}-egress-policy",
        scope,
        [(addresses(backup.store.cidr), backup.store.port)],
        dns=None if args.dns_cidrs is None else dns_rule(args.dns_cidrs),
    )
    volumes = [
        secret_volume(
            "credentials",
            credentials.secret,
            keys=[credentials.key_id, credentials.secret_key],
        ),
        scratch_volume(SCRATCH_VOLUME, drill_scratch(args.storage_size)),
    ]
    if authority is not None:
        volumes.append(secret_volume("authority", object_name(authority)))
    cron_job = declare_scheduled_job(
        scope,
        args,
        schedule=drill.schedule,
        # For a node that goes away; an archive that is broken stays so.
        retries=1,
        account=account,
        containers=[_container(args, backup, credentials, archive, authority)],
        volumes=volumes,
        user=_USER,
    )
    return DrillResources(cron_job=cron_job, service_account=account, network_policy=policy)


def _container(
    args: PostgresClusterArgs,
    backup: ContinuousBackup,
    credentials: StoreCredentials,
    archive: pulumi.Input[str],
    authority: core.Secret | None,
) -> core.ContainerArgs:
    env: dict[str, pulumi.Input[str]] = {
        "PGDATABASE": args.database,
        "SCRATCH": SCRATCH,
        "ROOM": str(int(quantity_value(drill_scratch(args.storage_size)))),
        "PAUSE": str(_PAUSE),
        "SECONDS_LEFT": str(LONGEST_SECONDS - _TO_END),
        "ENDPOINT": backup.store.endpoint,
        "DESTINATION": destination(backup.store),
        "ARCHIVE": archive,
        "AWS_DEFAULT_REGION": backup.store.region,
        "KEY_ID_FILE": f"{_SECRETS}/{credentials.key_id}",
        "SECRET_FILE": f"{_SECRETS}/{credentials.secret_key}",
    }
    mounts = {SCRATCH_VOLUME: SCRATCH, "credentials": _SECRETS}
    if authority is not None:
        env["AUTHORITY_FILE"] = f"{_AUTHORITY}/{AUTHORITY_KEY}"
        mounts["authority"] = _AUTHORITY
    return drill_container(
        args.image, DRILL_SCRIPT, env, storage_size=args.storage_size, mounts=mounts
    )
