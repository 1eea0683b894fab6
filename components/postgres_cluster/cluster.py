"""The Cluster: what the operator makes pods, volumes, Services and certificates of."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from ..metadata.scope import ObjectScope
from ..pod.requirements import as_requirements
from ..postgres.identity import VolumeIdentity, identity
from ..postgres.tuning import shared_memory_size, tuning
from .args import PostgresClusterArgs
from .backup import backup_spec, region_environment
from .credentials import credentials_name
from .hooks import register_cluster_hooks
from .metrics import scrape_annotations

API_VERSION = "postgresql.cnpg.io/v1"
KIND = "Cluster"
CONTAINER = "postgres"
"""Name of the server's container in the operator's pods; superuser and paths are as usual."""
WRITABLE = "-rw"
"""What the operator calls the Service after the Cluster that leads to where writes go."""
_LASTING = ("database", "user", "system", "class")
"""What no later setting changes: a volume grows, and the operator sees to the version's update."""
_LOCALE = "C.UTF-8"
"""Letters of all languages are letters, and text is sorted as every system sorts it."""


_AWAKE = {"cnpg.io/hibernation": "off"}
"""A Cluster that was hibernated, so that its volumes alone are left, wakes up with this."""


def declare_cluster(
    scope: ObjectScope,
    args: PostgresClusterArgs,
    *,
    secrets: list[k8s.core.v1.Secret],
    authority: k8s.core.v1.Secret | None,
) -> k8s.apiextensions.CustomResource:
    """Declares the Cluster; Pulumi never deletes it, as its volumes would go with it.

    Args:
        scope: Names and labels.
        args: What runs, and where its data is.
        secrets: What it reads, but for what something else keeps.
        authority: Who signs the certificate of the backups' store.
    """
    volume = VolumeIdentity(args.annotation_prefix, args.input_names)
    traits = identity(
        image=args.image,
        database=args.database,
        user=args.user,
        size=args.storage_size,
        storage_class=args.storage_class,
    )
    made_with = {key: traits[key] for key in _LASTING if key in traits}
    own = pulumi.ResourceOptions(
        protect=args.protect,
        depends_on=[*secrets] or None,
        hooks=register_cluster_hooks(scope.name, args, volume),
    )
    return k8s.apiextensions.CustomResource(
        f"{scope.name}-cluster",
        api_version=API_VERSION,
        kind=KIND,
        metadata=scope.metadata(annotations={**volume.note(made_with), **_AWAKE}),
        spec=_spec(scope, args, authority),
        opts=pulumi.ResourceOptions.merge(scope.opts, own),
    )


def _spec(
    scope: ObjectScope, args: PostgresClusterArgs, authority: k8s.core.v1.Secret | None
) -> dict[str, Any]:
    several = args.instances > 1
    # Of all that the operator makes of it; managed-by is the operator's to say.
    labels = {key: it for key, it in scope.labels.items() if not key.endswith("/managed-by")}
    return {
        "instances": args.instances,
        "imageName": args.image,
        "imagePullPolicy": "IfNotPresent",
        "imagePullSecrets": [{"name": it} for it in args.pull_secrets],
        "inheritedMetadata": {
            "labels": labels,
            "annotations": scrape_annotations(args.metrics),
        },
        "bootstrap": {
            "initdb": {
                "database": args.database,
                "owner": args.user,
                "secret": {"name": credentials_name(scope, args)},
                "dataChecksums": True,
                "encoding": "UTF8",
                "localeCollate": _LOCALE,
                "localeCType": _LOCALE,
            }
        },
        "storage": {
            "size": args.storage_size,
            **({"storageClass": args.storage_class} if args.storage_class else {}),
        },
        "resources": as_requirements(args.resources),
        "ephemeralVolumesSizeLimit": {
            "shm": shared_memory_size(args.resources.memory_limit),
            # The operator's own program, which each pod copies there, takes 90 MB.
            "temporaryData": "256Mi",
        },
        "postgresql": {
            "parameters": _parameters(args),
            **({"synchronous": _synchronous(args)} if args.synchronous else {}),
        },
        "affinity": _affinity(args),
        **({"priorityClassName": args.priority_class} if args.priority_class else {}),
        # Replicas first, then a switchover: an update costs seconds of writing.
        "primaryUpdateStrategy": "unsupervised",
        "primaryUpdateMethod": "switchover" if several else "restart",
        # Pools keep their connections, so to wait until all clients have gone (180 s by default,
        # in which nobody gets in) would only make the pause longer.
        "smartShutdownTimeout": 5,
        "stopDelay": 120,
        "switchoverDelay": 60,
        # For a single instance it could only block draining a node for ever.
        "enablePDB": several,
        **_backup(args, authority),
    }


def _parameters(args: PostgresClusterArgs) -> Mapping[str, str]:
    tuned = tuning(args.resources.memory_limit, args.storage_size, args.max_connections)
    # 512 MB of log for standbys by default: too much for a small volume. What they need is kept for
    # them all the same, but not so much that a standby that is gone fills the primary's volume.
    return {
        **tuned,
        "wal_keep_size": tuned["min_wal_size"],
        "max_slot_wal_keep_size": tuned["max_wal_size"],
        # After a switchover commits wait for a standby to connect anew: 5 s by default.
        "wal_retrieve_retry_interval": "1s",
        # A write is in the store five minutes later: the operator's default is all of them, and
        # the upload of a segment takes a while, too.
        "archive_timeout": "4min",
    }


def _synchronous(args: PostgresClusterArgs) -> Mapping[str, Any]:
    return {
        "method": "any",
        "number": 1,
        # A commit rather waits than is in one place alone.
        "dataDurability": "required",
        # Nothing takes the primary's place that may lack a commit; it takes a majority of three.
        "failoverQuorum": args.instances > 2,
    }


def _affinity(args: PostgresClusterArgs) -> Mapping[str, Any]:
    preferred = [
        {"key": key, "operator": "In", "values": [value]}
        for key, value in args.preferred_nodes.items()
    ]
    term = {"weight": 100, "preference": {"matchExpressions": preferred}}
    return {
        # Two instances on one node fall with it; on a single node there is no other way.
        "podAntiAffinityType": "preferred",
        **({"nodeSelector": dict(args.node_selector)} if args.node_selector else {}),
        **({"tolerations": [*args.tolerations]} if args.tolerations else {}),
        **(
            {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [term]}}
            if preferred
            else {}
        ),
    }


def _backup(args: PostgresClusterArgs, authority: k8s.core.v1.Secret | None) -> Mapping[str, Any]:
    if args.backup is None or args.store_credentials is None:
        return {}
    return {
        "env": region_environment(args.backup),
        "backup": backup_spec(args.backup, args.store_credentials, args.archive_name, authority),
    }
