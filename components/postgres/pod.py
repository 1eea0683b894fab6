"""The pod of PostgresStatefulSet."""

import shlex

import pulumi_kubernetes as k8s

from ..metadata.labels import object_name
from ..pod.probes import ExecProbe, probe_args
from ..pod.restricted import (
    container_resources,
    container_security,
    preferred_nodes,
    scratch_volume,
)
from ..pod.spec import pod_spec
from .args import PostgresStatefulSetArgs
from .certificate import (
    SERVER_PARAMETERS,
    certificate_container,
    certificate_mount,
    certificate_volume,
)
from .metrics_role import metrics_mount, metrics_volume
from .password import password_file, password_mount, password_volume
from .roles import roles_environment, roles_mount, roles_volume
from .tuning import shared_memory_size, tuning
from .volume import template_name

core = k8s.core.v1

PORT = 5432
COMPONENT = "database"
"""The label app.kubernetes.io/component of the server's objects."""
CONTAINER = "postgres"
"""Name of the server's container."""
USER = 999
"""User and group ID of postgres in the official image."""
DATA_PATH = "/var/lib/postgresql/data"


def postgres_pod(
    server: str,
    args: PostgresStatefulSetArgs,
    *,
    account: core.ServiceAccount,
    roles: core.ConfigMap,
) -> core.PodSpecArgs:
    """Returns a pod that runs one server on the claim template of its volume.

    Args:
        server: Name of the Service, which the certificate is for.
        args: What runs.
        account: Whom the pod runs as.
        roles: The script that makes the application's role.
    """
    spec = pod_spec(args, account=account, user=USER, containers=[_container(args)])
    spec.affinity = preferred_nodes(args.preferred_nodes)
    # A fast shutdown writes a checkpoint first, which takes a while on a slow volume.
    spec.termination_grace_period_seconds = 120
    spec.init_containers = [certificate_container(server, args.image, args.resources)]
    spec.volumes = [
        *([metrics_volume(server)] if args.metrics else []),
        certificate_volume(),
        password_volume(args, server),
        roles_volume(object_name(roles)),
        scratch_volume("tmp", "64Mi"),
        scratch_volume("run", "16Mi"),
        scratch_volume("shm", shared_memory_size(args.resources.memory_limit), in_memory=True),
    ]
    return spec


def _container(args: PostgresStatefulSetArgs) -> core.ContainerArgs:
    # Over TCP: during initdb the server answers on its socket only, and is not ready for clients.
    ready = ["pg_isready", "-h", "127.0.0.1", "-U", args.user, "-d", args.database]
    # Exit code 1: it refuses clients while it recovers. To kill it then would start that anew.
    alive = ["/bin/sh", "-c", f"{shlex.join(ready)} || [ $? -eq 1 ]"]
    tuned = tuning(args.resources.memory_limit, args.storage_size, args.max_connections)
    parameters = tuned | SERVER_PARAMETERS
    env = {
        **roles_environment(args.database, args.user),
        "POSTGRES_PASSWORD_FILE": password_file(args),
        "POSTGRES_INITDB_ARGS": "--data-checksums --auth-host=scram-sha-256",
        # A folder of its own: a volume's root may hold lost+found, which initdb refuses.
        "PGDATA": f"{DATA_PATH}/pgdata",
    }
    mounts = {
        template_name(args.volume): DATA_PATH,
        "tmp": "/tmp",  # noqa: S108 - a mount point
        "run": "/var/run/postgresql",
        "shm": "/dev/shm",  # noqa: S108 - a mount point
    }
    return core.ContainerArgs(
        name=CONTAINER,
        image=args.image,
        image_pull_policy="IfNotPresent",
        args=["postgres", *(f"-c{key}={value}" for key, value in parameters.items())],
        ports=[core.ContainerPortArgs(name="postgres", container_port=PORT)],
        env=[core.EnvVarArgs(name=key, value=value) for key, value in env.items()],
        resources=container_resources(args.resources),
        security_context=container_security(),
        volume_mounts=[
            *(core.VolumeMountArgs(name=key, mount_path=path) for key, path in mounts.items()),
            password_mount(),
            certificate_mount(),
            roles_mount(),
            *([metrics_mount()] if args.metrics else []),
        ],
        # 10 minutes: recovery after a crash replays WAL before the server answers.
        startup_probe=probe_args(ExecProbe(ready, period=2, failures=300)),
        readiness_probe=probe_args(ExecProbe(ready, period=5, failures=3)),
        # Slow to give up: a restart under load costs more than a late answer.
        liveness_probe=probe_args(ExecProbe(alive, period=15, failures=6, timeout=5)),
        # A server that cannot start says why in its log: then `pulumi up` says so too.
        termination_message_policy="FallbackToLogsOnError",
        # Fast shutdown whatever the image's stop signal: SIGTERM would wait for all clients to go.
        lifecycle=core.LifecycleArgs(
            pre_stop=core.LifecycleHandlerArgs(
                exec_=core.ExecActionArgs(command=["pg_ctl", "stop", "--mode=fast", "--no-wait"])
            )
        ),
    )
