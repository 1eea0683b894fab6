"""vlagent on every node: reads the log files of the node's containers, and sends each line.

It leaves the Pod Security Standard *restricted* in one thing: it mounts folders of the node, read
only. A container's lines are nowhere else, unless every line is asked of the API server, which
then carries all of them. In all other things it is like any pod: no root, no capability, a
read-only file system. The files' group is root (mode 0640), so that is its group.
"""

import pulumi_kubernetes as k8s

from addons.cluster_reader import Readable, declare_cluster_reader
from addons.logs.names import AGENT_PORT, LINKS
from addons.logs.probes import LIVENESS, READINESS, startup
from addons.logs.settings import LogsSettings
from components.metadata.scope import ObjectScope
from components.pod.probes import probe_args
from components.pod.restricted import container_resources, container_security, scratch_volume
from components.pod.service_account import declare_service_account
from components.pod.spec import plain_pod_spec

apps = k8s.apps.v1
core = k8s.core.v1
_READABLE = (
    Readable(group="", resources=["pods"], verbs=["get", "list", "watch"]),
    Readable(group="", resources=["nodes"], verbs=["get"]),
    Readable(group="", resources=["namespaces"], verbs=["list"]),
)
"""To find the pods of its node, and their labels."""

_USER, _GROUP = 65532, 0
_STATE = "state"
_STATE_PATH = "/state"
_STATE_SIZE = "1Gi"
_BUFFER = "512MiB"
"""What is kept of lines while the server is away, oldest dropped first; the agent's chunk size is
the least that it takes."""
_MESSAGE_FIELDS = "message,msg,log,event"
"""Where a line that is JSON has its text: what is usual, and what the application's lines have."""


def declare_agent(scope: ObjectScope, settings: LogsSettings, server: str) -> apps.DaemonSet:
    """Declares the agent, and what it may ask the API server.

    What it has read of each file is kept as long as its pod: after a new version of it, the lines
    of files that are still there come a second time.

    Args:
        scope: Names, labels and options.
        settings: Which folders of the nodes have the files.
        server: URL of the server.
    """
    account = declare_service_account(scope, {})
    declare_cluster_reader(scope, account, _READABLE)
    return apps.DaemonSet(
        f"{scope.name}-daemon-set",
        metadata=scope.metadata(),
        spec=apps.DaemonSetSpecArgs(
            selector=k8s.meta.v1.LabelSelectorArgs(match_labels=scope.selector),
            revision_history_limit=3,
            template=core.PodTemplateSpecArgs(
                metadata=k8s.meta.v1.ObjectMetaArgs(labels=scope.labels),
                spec=_pod(settings, account, server),
            ),
        ),
        opts=scope.opts,
    )


def _pod(settings: LogsSettings, account: core.ServiceAccount, server: str) -> core.PodSpecArgs:
    folders = {"links": LINKS} | {f"logs-{n}": it for n, it in enumerate(settings.log_folders)}
    container = _container(settings, folders, server)
    spec = plain_pod_spec(account=account, user=_USER, containers=[container])
    spec.automount_service_account_token = True
    # Also nodes that no other pod may run on have pods of their own.
    spec.tolerations = [core.TolerationArgs(operator="Exists", effect="NoSchedule")]
    spec.security_context = core.PodSecurityContextArgs(
        run_as_non_root=True,
        run_as_user=_USER,
        run_as_group=_GROUP,
        fs_group=_USER,
        seccomp_profile=core.SeccompProfileArgs(type="RuntimeDefault"),
    )
    spec.volumes = [
        scratch_volume(_STATE, _STATE_SIZE),
        *(
            core.VolumeArgs(
                name=name, host_path=core.HostPathVolumeSourceArgs(path=path, type="Directory")
            )
            for name, path in folders.items()
        ),
    ]
    return spec


def _container(settings: LogsSettings, folders: dict[str, str], server: str) -> core.ContainerArgs:
    # Where the links lead to, each folder has to be at the same place as on the node.
    mounts = [
        core.VolumeMountArgs(name=name, mount_path=path, read_only=True)
        for name, path in folders.items()
    ]
    return core.ContainerArgs(
        name="vlagent",
        image=settings.images.agent,
        image_pull_policy="IfNotPresent",
        args=[
            "-kubernetesCollector",
            f"-kubernetesCollector.logsPath={LINKS}",
            f"-kubernetesCollector.msgField={_MESSAGE_FIELDS}",
            f"-remoteWrite.url={server}/insert/native",
            f"-remoteWrite.maxDiskUsagePerURL={_BUFFER}",
            f"-tmpDataPath={_STATE_PATH}",
            f"-httpListenAddr=:{AGENT_PORT}",
            "-loggerFormat=json",
        ],
        ports=[core.ContainerPortArgs(name="http", container_port=AGENT_PORT)],
        resources=container_resources(settings.agent_resources),
        security_context=container_security(),
        volume_mounts=[core.VolumeMountArgs(name=_STATE, mount_path=_STATE_PATH), *mounts],
        startup_probe=probe_args(startup(seconds=120)),
        readiness_probe=probe_args(READINESS),
        liveness_probe=probe_args(LIVENESS),
        termination_message_policy="FallbackToLogsOnError",
    )
