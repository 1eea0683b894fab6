"""The pod of PostgresStatefulSet."""

import shlex
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_kubernetes as k8s

from ..pod.restricted import (
    container_resources,
    container_security,
    exec_probe,
    pod_security,
    preferred_nodes,
    scratch_volume,
    secret_references,
)
from ..values.resources import Resources
from .certificate import (
    SERVER_PARAMETERS,
    certificate_container,
    certificate_mount,
    certificate_volume,
)
from .roles import roles_environment, roles_mount, roles_volume
from .tuning import shared_memory_size, tuning

core = k8s.core.v1

PORT = 5432
CONTAINER = "postgres"
USER = 999
"""User and group ID of postgres in the official image."""
PASSWORD_KEY = "database-password"  # noqa: S105 - the name of a key
SECRETS_PATH = "/run/secrets/postgres"
DATA_PATH = "/var/lib/postgresql/data"


def postgres_pod(
    *,
    account: pulumi.Input[str],
    host: str,
    image: pulumi.Input[str],
    pull_secrets: Sequence[str],
    database: str,
    user: str,
    secret_name: pulumi.Input[str],
    roles: pulumi.Input[str],
    resources: Resources,
    storage_size: str,
    connections: int,
    volume_nodes: Mapping[str, str],
) -> core.PodSpecArgs:
    """Returns a pod that runs one server on the claim template called `data`.

    Args:
        account: Name of its ServiceAccount.
        host: Name of the Service, which the certificate is for.
        image: What runs.
        pull_secrets: Names of Secrets with the registry's credentials.
        database: Name of the application's database.
        user: Name of the application's role.
        secret_name: Name of the Secret with the role's password.
        roles: Name of the ConfigMap that makes the role.
        resources: Requests and limits.
        storage_size: Size of the volume.
        connections: How many clients may be connected.
        volume_nodes: Labels of the nodes that it prefers.
    """
    return core.PodSpecArgs(
        service_account_name=account,
        automount_service_account_token=False,
        enable_service_links=False,
        image_pull_secrets=secret_references(pull_secrets),
        affinity=preferred_nodes(volume_nodes),
        security_context=pod_security(USER, USER),
        # A fast shutdown writes a checkpoint first, which takes a while on a slow volume.
        termination_grace_period_seconds=120,
        init_containers=[certificate_container(host, image, resources)],
        containers=[_container(image, database, user, resources, storage_size, connections)],
        volumes=[
            certificate_volume(),
            password_volume(secret_name),
            roles_volume(roles),
            scratch_volume("tmp", "64Mi"),
            scratch_volume("run", "16Mi"),
            scratch_volume("shm", shared_memory_size(resources.memory_limit), in_memory=True),
        ],
    )


def password_volume(secret_name: pulumi.Input[str]) -> core.VolumeArgs:
    """Returns the volume with the password alone, whatever else the Secret has."""
    return core.VolumeArgs(
        name="secrets",
        secret=core.SecretVolumeSourceArgs(
            secret_name=secret_name,
            default_mode=0o440,
            items=[core.KeyToPathArgs(key=PASSWORD_KEY, path=PASSWORD_KEY)],
        ),
    )


def password_mount() -> core.VolumeMountArgs:
    """Returns the mount of the password's volume."""
    return core.VolumeMountArgs(name="secrets", mount_path=SECRETS_PATH, read_only=True)


def _container(
    image: pulumi.Input[str],
    database: str,
    user: str,
    resources: Resources,
    storage_size: str,
    connections: int,
) -> core.ContainerArgs:
    # Over TCP: during initdb the server answers on its socket only, and is not ready for clients.
    ready = ["pg_isready", "-h", "127.0.0.1", "-U", user, "-d", database]
    # Exit code 1: it refuses clients while it recovers. To kill it then would start that anew.
    alive = ["/bin/sh", "-c", f"{shlex.join(ready)} || [ $? -eq 1 ]"]
    parameters = tuning(resources.memory_limit, storage_size, connections) | SERVER_PARAMETERS
    env = {
        **roles_environment(database, user),
        "POSTGRES_PASSWORD_FILE": f"{SECRETS_PATH}/{PASSWORD_KEY}",
        "POSTGRES_INITDB_ARGS": "--data-checksums --auth-host=scram-sha-256",
        # A folder of its own: a volume's root may hold lost+found, which initdb refuses.
        "PGDATA": f"{DATA_PATH}/pgdata",
    }
    mounts = {
        "data": DATA_PATH,
        "tmp": "/tmp",  # noqa: S108 - a mount point
        "run": "/var/run/postgresql",
        "shm": "/dev/shm",  # noqa: S108 - a mount point
    }
    return core.ContainerArgs(
        name=CONTAINER,
        image=image,
        image_pull_policy="IfNotPresent",
        args=["postgres", *(f"-c{key}={value}" for key, value in parameters.items())],
        ports=[core.ContainerPortArgs(name="postgres", container_port=PORT)],
        env=[core.EnvVarArgs(name=key, value=value) for key, value in env.items()],
        resources=container_resources(resources),
        security_context=container_security(),
        volume_mounts=[
            *(core.VolumeMountArgs(name=key, mount_path=path) for key, path in mounts.items()),
            password_mount(),
            certificate_mount(),
            roles_mount(),
        ],
        # 10 minutes: recovery after a crash replays WAL before the server answers.
        startup_probe=exec_probe(ready, period=2, failures=300),
        readiness_probe=exec_probe(ready, period=5, failures=3),
        # Slow to give up: a restart under load costs more than a late answer.
        liveness_probe=exec_probe(alive, period=15, failures=6, timeout=5),
        # A server that cannot start says why in its log: then `pulumi up` says so too.
        termination_message_policy="FallbackToLogsOnError",
        # Fast shutdown whatever the image's stop signal: SIGTERM would wait for all clients to go.
        lifecycle=core.LifecycleArgs(
            pre_stop=core.LifecycleHandlerArgs(
                exec_=core.ExecActionArgs(command=["pg_ctl", "stop", "--mode=fast", "--no-wait"])
            )
        ),
    )
