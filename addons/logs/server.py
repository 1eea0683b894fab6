"""VictoriaLogs: one server with a volume, which has the web page, too."""

import pulumi_kubernetes as k8s

from addons.logs.names import PORT
from addons.logs.probes import LIVENESS, READINESS, startup
from addons.logs.settings import LogsSettings
from addons.volume import data_mount, data_volume, declare_claim, kept_bytes
from components.metadata.awaiting import NOT_AWAITED
from components.metadata.labels import object_name
from components.metadata.scope import ObjectScope
from components.pod.probes import probe_args
from components.pod.restricted import container_resources, container_security
from components.pod.service_account import declare_service_account
from components.pod.spec import plain_pod_spec

apps = k8s.apps.v1
core = k8s.core.v1

_USER = 65532
_DATA_PATH = "/data"


def declare_server(scope: ObjectScope, settings: LogsSettings) -> apps.StatefulSet:
    """Declares the server, its Service and its volume, which goes with the part.

    Args:
        scope: Names, labels and options.
        settings: How long and on how much room lines are kept.
    """
    service = core.Service(
        f"{scope.name}-service",
        metadata=scope.metadata(annotations=NOT_AWAITED),
        spec=core.ServiceSpecArgs(
            type="ClusterIP",
            selector=scope.selector,
            ports=[core.ServicePortArgs(name="http", port=PORT, target_port="http")],
        ),
        opts=scope.opts,
    )
    account = declare_service_account(scope, {})
    # Of its own and no template of the StatefulSet, which could not enlarge it.
    storage = settings.storage
    claim = declare_claim(
        scope, storage.size, storage.storage_class, part="logs", storage="storage.size"
    )
    pod = plain_pod_spec(account=account, user=_USER, containers=[_container(settings)])
    pod.volumes = [data_volume(claim)]
    return apps.StatefulSet(
        f"{scope.name}-stateful-set",
        metadata=scope.metadata(),
        spec=apps.StatefulSetSpecArgs(
            replicas=1,
            service_name=object_name(service),
            selector=k8s.meta.v1.LabelSelectorArgs(match_labels=scope.selector),
            revision_history_limit=3,
            persistent_volume_claim_retention_policy=(
                apps.StatefulSetPersistentVolumeClaimRetentionPolicyArgs(
                    when_deleted="Retain", when_scaled="Retain"
                )
            ),
            template=core.PodTemplateSpecArgs(
                metadata=k8s.meta.v1.ObjectMetaArgs(labels=scope.labels),
                spec=pod,
            ),
        ),
        opts=scope.opts,
    )


def _container(settings: LogsSettings) -> core.ContainerArgs:
    return core.ContainerArgs(
        name="victoria-logs",
        image=settings.images.server,
        image_pull_policy="IfNotPresent",
        args=[
            f"-storageDataPath={_DATA_PATH}",
            f"-httpListenAddr=:{PORT}",
            f"-retentionPeriod={settings.keep_days}d",
            f"-retention.maxDiskSpaceUsageBytes={kept_bytes(settings.storage.size)}",
            "-loggerFormat=json",
        ],
        ports=[core.ContainerPortArgs(name="http", container_port=PORT)],
        resources=container_resources(settings.resources),
        security_context=container_security(),
        volume_mounts=[data_mount(_DATA_PATH)],
        # It opens its files before it listens, which takes its time on a slow volume.
        startup_probe=probe_args(startup(seconds=300)),
        readiness_probe=probe_args(READINESS),
        liveness_probe=probe_args(LIVENESS),
        termination_message_policy="FallbackToLogsOnError",
    )


def endpoint(scope: ObjectScope) -> str:
    """Returns the URL of the server inside the cluster."""
    return f"http://{scope.object_name}.{scope.namespace}.svc:{PORT}"
