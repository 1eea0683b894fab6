"""The container that brings dumps to an object store and back, and what it needs in its pod."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi_kubernetes as k8s

from ..metadata.labels import object_name
from ..metadata.scope import ObjectScope
from ..network.policies import Peer, addresses
from ..pod.restricted import container_resources, container_security, scratch_volume
from ..secrets.files import declare_secret
from ..secrets.volume import secret_volume
from ..values.postgres.backup import Backup
from ..values.postgres.sizes import staged_backup_resources
from .args import BackupStore, PostgresStatefulSetArgs
from .store_script import STORE_SCRIPT

core = k8s.core.v1

CONTAINER = "store"
"""Name of the container."""
DUMPS = "/backups"
"""Where a dump lies on its way."""
KEY_ID_FILE = "object-store-key-id"
SECRET_FILE = "object-store-secret"  # noqa: S105 - a file's name
KEY_FILE = "backup-key"
"""Names of the files that `BackupStore.secrets` has: credentials of the store, and the key that the
backups are encrypted with."""

Verb = Literal["put", "fetch", "put-and-fetch", "list", "check"]
"""What the script is told to do."""

# The pod's own namespace: whoever applies the objects elsewhere has backups of his own.
_OWNER = core.EnvVarArgs(
    name="OWNER",
    value_from=core.EnvVarSourceArgs(
        field_ref=core.ObjectFieldSelectorArgs(field_path="metadata.namespace")
    ),
)
_AUTHORITY = "ca.crt"
_AUTHORITY_PATH = "/run/authority"


@dataclass(frozen=True, kw_only=True)
class StoreFiles:
    """What the container's files come from."""

    secret: core.Secret | None
    """None: something else keeps it."""
    authority: core.ConfigMap | None
    """With the authorities that sign the store's certificate; None: public ones."""


@dataclass(frozen=True, kw_only=True)
class NewestDump:
    """What puts the newest dump into `DUMPS` before the containers of a pod start."""

    init_container: core.ContainerArgs
    volumes: Sequence[core.VolumeArgs]
    mount: core.VolumeMountArgs
    """Of the folder with the dump."""
    staged: str
    """The most that the dump takes of the node's disk."""
    destination: tuple[Peer, int]
    """Whom the pod has to be let connect to."""


def declare_store_files(scope: ObjectScope, store: BackupStore) -> StoreFiles:
    """Declares the Secret with credentials and key, and the ConfigMap with the authorities."""
    authority = None
    if store.store.ca_bundle is not None:
        authority = core.ConfigMap(
            f"{scope.name}-authority",
            metadata=scope.unnamed_metadata(),
            data={_AUTHORITY: store.store.ca_bundle},
            opts=scope.opts,
        )
    return StoreFiles(secret=declare_secret(store.secrets, scope), authority=authority)


def store_destination(store: BackupStore) -> tuple[Peer, int]:
    """Returns whom the pods of an object store have to be let connect to."""
    return addresses(store.store.cidr), store.store.port


def store_container(
    args: PostgresStatefulSetArgs,
    backup: Backup,
    store: BackupStore,
    verb: Verb,
) -> core.ContainerArgs:
    """Returns the container; the backups are of the namespace that its pod is in.

    Args:
        args: What the server was given.
        backup: How many backups are kept.
        store: Where they are.
        verb: What the script does; whoever makes a Job of the pod changes the last argument.
    """
    where, names = store.store, args.input_names
    secrets = store.secrets.path
    env = {
        "RESTIC_REPOSITORY": f"s3:{where.endpoint}/{where.bucket}/{where.prefix}/dumps",
        "RESTIC_PASSWORD_FILE": f"{secrets}/{KEY_FILE}",
        "AWS_DEFAULT_REGION": where.region,
        "KEY_ID_FILE": f"{secrets}/{KEY_ID_FILE}",
        "SECRET_FILE": f"{secrets}/{SECRET_FILE}",
        "PGDATABASE": args.database,
        "KEEP": str(backup.keep),
        "STORE": where.shown,
        "STORE_SETTING": names.backup_store,
        "KEY_SETTING": names.backup_key,
        "CREDENTIALS_SETTING": names.backup_credentials,
    }
    if store.keep_days:
        env["KEEP_DAYS"] = str(store.keep_days)
    mounts = {"backups": DUMPS, "store": "/run/store"}
    if where.ca_bundle is not None:
        env["RESTIC_CACERT"] = f"{_AUTHORITY_PATH}/{_AUTHORITY}"
        mounts["authority"] = _AUTHORITY_PATH
    return core.ContainerArgs(
        name=CONTAINER,
        image=store.image,
        image_pull_policy="IfNotPresent",
        command=["/bin/sh", "-c", STORE_SCRIPT, CONTAINER],
        args=[verb],
        env=[*(core.EnvVarArgs(name=key, value=value) for key, value in env.items()), _OWNER],
        resources=container_resources(staged_backup_resources(backup.storage_size)),
        security_context=container_security(),
        # So that `kubectl get pod` has the sentence that the script ends with.
        termination_message_policy="FallbackToLogsOnError",
        volume_mounts=[
            *(core.VolumeMountArgs(name=key, mount_path=path) for key, path in mounts.items()),
            core.VolumeMountArgs(name="store-secrets", mount_path=secrets, read_only=True),
        ],
    )


def store_volumes(backup: Backup, store: BackupStore, files: StoreFiles) -> list[core.VolumeArgs]:
    """Returns the volumes of a pod with the container; `backups` is the folder for dumps."""
    secret = object_name(files.secret) if files.secret else store.secrets.existing
    volumes = [
        # On the node, and gone with the pod's end: it is not encrypted there.
        scratch_volume("backups", backup.storage_size),
        scratch_volume("store", "16Mi", in_memory=True),
        secret_volume("store-secrets", secret, keys=[KEY_ID_FILE, SECRET_FILE, KEY_FILE]),
    ]
    if files.authority:
        source = core.ConfigMapVolumeSourceArgs(name=object_name(files.authority))
        volumes.append(core.VolumeArgs(name="authority", config_map=source))
    return volumes


def fetch_newest(
    args: PostgresStatefulSetArgs,
    backup: Backup,
    store: BackupStore,
    files: StoreFiles,
) -> NewestDump:
    """Returns what puts the newest dump of the store into a pod.

    Args:
        args: What the server was given.
        backup: The backups.
        store: Where they are.
        files: What the container's files come from.
    """
    return NewestDump(
        init_container=store_container(args, backup, store, "fetch"),
        volumes=store_volumes(backup, store, files),
        mount=core.VolumeMountArgs(name="backups", mount_path=DUMPS),
        staged=backup.storage_size,
        destination=store_destination(store),
    )
