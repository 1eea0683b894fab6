"""Base backups and the write-ahead log of a PostgresCluster, in an object store by Barman.

`spec.backup.barmanObjectStore` is deprecated since CloudNativePG 1.26 and still there in 1.30; its
successor is a plugin of the operator's, with images and certificates of its own.
"""

from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from ..metadata.labels import object_name
from ..metadata.scope import ObjectScope
from ..values.object_store import ObjectStore
from ..values.postgres.cluster import ContinuousBackup
from .args import StoreCredentials

AUTHORITY_KEY = "ca.crt"
"""The key of the Secret with who signs the store's certificate."""
_FOLDER = "wal"
"""Of the stack's folder: base backups and log, beside what else it keeps there."""


def declare_authority(scope: ObjectScope, backup: ContinuousBackup) -> k8s.core.v1.Secret | None:
    """Declares the Secret with who signs the store's certificate, if no public authority does.

    It is a Secret as the operator reads no ConfigMap for it.
    """
    if backup.store.ca_bundle is None:
        return None
    return k8s.core.v1.Secret(
        f"{scope.name}-authority",
        metadata=scope.metadata("-authority"),
        string_data={AUTHORITY_KEY: backup.store.ca_bundle},
        opts=scope.opts,
    )


def destination(store: ObjectStore) -> str:
    """Returns the folder with the archives, as Barman names it."""
    return f"s3://{store.bucket}/{store.prefix}/{_FOLDER}"


def backup_spec(
    backup: ContinuousBackup,
    credentials: StoreCredentials,
    name: pulumi.Input[str] | None,
    authority: k8s.core.v1.Secret | None,
) -> dict[str, Any]:
    """Returns the part `spec.backup` of a Cluster.

    Args:
        backup: Where to, and how long it is kept.
        credentials: What opens the store.
        name: What the Cluster's folder is called; None: as the Cluster.
        authority: Who signs the store's certificate, if no public authority does.
    """
    store = backup.store
    return {
        "retentionPolicy": f"{backup.keep_days}d",
        "barmanObjectStore": {
            "destinationPath": destination(store),
            **({"serverName": name} if name is not None else {}),
            "endpointURL": store.endpoint,
            **(
                {"endpointCA": {"name": object_name(authority), "key": AUTHORITY_KEY}}
                if authority
                else {}
            ),
            "s3Credentials": {
                "accessKeyId": {"name": credentials.secret, "key": credentials.key_id},
                "secretAccessKey": {"name": credentials.secret, "key": credentials.secret_key},
            },
            "wal": {"compression": "gzip"},
            # Else a base backup waits for minutes until a checkpoint comes by itself.
            "data": {"compression": "gzip", "immediateCheckpoint": True},
        },
    }


def region_environment(backup: ContinuousBackup) -> list[dict[str, str]]:
    """Returns what tells Barman the store's region: the Cluster would want it in a Secret."""
    return [{"name": "AWS_DEFAULT_REGION", "value": backup.store.region}]


def declare_schedule(
    scope: ObjectScope, cluster: pulumi.Resource, server: ObjectScope, backup: ContinuousBackup
) -> k8s.apiextensions.CustomResource:
    """Declares when base backups are made; the first at once, as the log alone restores nothing.

    Args:
        scope: Of the backups.
        cluster: What is backed up.
        server: Its names.
        backup: When.
    """
    named = backup.schedule.startswith("@")
    return k8s.apiextensions.CustomResource(
        f"{scope.name}-schedule",
        api_version="postgresql.cnpg.io/v1",
        kind="ScheduledBackup",
        metadata=scope.metadata(),
        spec={
            "cluster": {"name": server.object_name},
            # Its cron lines begin with the second.
            "schedule": backup.schedule if named else f"0 {backup.schedule}",
            "immediate": True,
            "method": "barmanObjectStore",
            # What is in the store goes by retention alone, whatever becomes of this object.
            "backupOwnerReference": "none",
        },
        opts=scope.after(cluster).opts,
    )
