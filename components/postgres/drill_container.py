"""The container of a restore drill, which runs a PostgreSQL server of its own."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s

from ..pod.restricted import container_resources, container_security
from ..values.postgres.sizes import drill_resources

core = k8s.core.v1

CONTAINER = "drill"
"""Name of the pod's container that restores, and whose last line is the verdict."""
SCRATCH_VOLUME = "scratch"
"""The volume that its server has its files on, and the only one that it writes to."""
SCRATCH = "/scratch"
"""Where that is."""


def drill_container(
    image: pulumi.Input[str],
    script: str,
    env: Mapping[str, pulumi.Input[str]],
    *,
    storage_size: str,
    mounts: Mapping[str, str],
    staged: str = "0",
) -> core.ContainerArgs:
    """Describes the container.

    Args:
        image: The database's own.
        script: What it runs, for `/bin/sh`.
        env: What the script reads, in its order.
        storage_size: Of the data volume of the database, such as `1Gi`.
        mounts: Paths of the volumes, by their names, in their order.
        staged: The most that a dump takes of the node's disk, beside the server's files.
    """
    return core.ContainerArgs(
        name=CONTAINER,
        image=image,
        image_pull_policy="IfNotPresent",
        command=["/bin/sh", "-c", script],
        env=[core.EnvVarArgs(name=key, value=value) for key, value in env.items()],
        resources=container_resources(drill_resources(storage_size, staged)),
        security_context=container_security(),
        volume_mounts=[
            core.VolumeMountArgs(
                name=name, mount_path=path, read_only=name != SCRATCH_VOLUME or None
            )
            for name, path in mounts.items()
        ],
        # What it says last is why it failed: then whoever looks at the pod reads it there.
        termination_message_policy="FallbackToLogsOnError",
    )
