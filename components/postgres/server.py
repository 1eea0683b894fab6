"""The StatefulSet and the Services of a PostgreSQL server."""

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as k8s

from ..metadata.awaiting import NOT_AWAITED
from ..metadata.labels import object_name
from ..metadata.scope import ObjectScope
from .args import PostgresStatefulSetArgs
from .hooks import register_server_hooks
from .identity import VolumeIdentity, identity
from .pod import PORT, postgres_pod
from .volume import claim_template, template_name

core = k8s.core.v1
apps = k8s.apps.v1


def declare_service(scope: ObjectScope) -> core.Service:
    """Declares the Service that clients connect to."""
    return _declare_service(scope, "", core.ServiceSpecArgs())


def declare_headless_service(scope: ObjectScope) -> core.Service:
    """Declares the Service that gives the StatefulSet's pod its name in the DNS."""
    spec = core.ServiceSpecArgs(cluster_ip="None", publish_not_ready_addresses=True)
    return _declare_service(scope, "-headless", spec)


def _declare_service(scope: ObjectScope, suffix: str, spec: core.ServiceSpecArgs) -> core.Service:
    spec.type = "ClusterIP"
    spec.selector = scope.selector
    spec.ports = [core.ServicePortArgs(name="postgres", port=PORT, target_port="postgres")]
    return core.Service(
        f"{scope.name}{suffix}-service",
        # The StatefulSet is awaited, and fails with the reason of its pod.
        metadata=scope.metadata(suffix, annotations=NOT_AWAITED),
        spec=spec,
        opts=scope.opts,
    )


def declare_stateful_set(
    scope: ObjectScope,
    args: PostgresStatefulSetArgs,
    *,
    account: core.ServiceAccount,
    headless: core.Service,
    roles: core.ConfigMap,
    secrets: Sequence[core.Secret],
) -> apps.StatefulSet:
    """Declares the StatefulSet, whose claim is kept when it is deleted.

    Args:
        scope: Names and labels.
        args: What runs, and where its data is.
        account: Whom the pod runs as.
        headless: The Service that names the pod.
        roles: The script that makes the application's role.
        secrets: The passwords, but for what something else keeps.
    """
    volume = VolumeIdentity(args.annotation_prefix, args.input_names)
    made_with = identity(
        image=args.image,
        database=args.database,
        user=args.user,
        size=args.storage_size,
        storage_class=args.storage_class,
        volume=args.volume,
    )
    spec = _spec(scope, args, account, headless, roles)
    own = pulumi.ResourceOptions(
        protect=args.protect,
        depends_on=[*secrets] or None,
        custom_timeouts=pulumi.CustomTimeouts(create="8m", update="5m", delete="4m"),
        # It cannot be changed, and to replace the server would not change the volume: the
        # annotation shows a change, and the hook refuses it.
        ignore_changes=["spec.volumeClaimTemplates"],
        hooks=register_server_hooks(scope.name, args.api, volume),
    )
    return apps.StatefulSet(
        f"{scope.name}-stateful-set",
        metadata=scope.metadata(annotations=volume.note(made_with)),
        spec=args.customize(spec) if args.customize else spec,
        opts=pulumi.ResourceOptions.merge(scope.opts, own),
    )


def _spec(
    scope: ObjectScope,
    args: PostgresStatefulSetArgs,
    account: core.ServiceAccount,
    headless: core.Service,
    roles: core.ConfigMap,
) -> apps.StatefulSetSpecArgs:
    return apps.StatefulSetSpecArgs(
        replicas=1,
        service_name=object_name(headless),
        selector=k8s.meta.v1.LabelSelectorArgs(match_labels=scope.selector),
        pod_management_policy="OrderedReady",
        revision_history_limit=3,
        persistent_volume_claim_retention_policy=(
            apps.StatefulSetPersistentVolumeClaimRetentionPolicyArgs(
                when_deleted="Retain", when_scaled="Retain"
            )
        ),
        template=core.PodTemplateSpecArgs(
            metadata=k8s.meta.v1.ObjectMetaArgs(
                labels=scope.labels, annotations=dict(args.pod_annotations) or None
            ),
            spec=postgres_pod(scope.object_name, args, account=account, roles=roles),
        ),
        volume_claim_templates=[
            claim_template(
                template_name(args.volume), scope.selector, args.storage_size, args.storage_class
            )
        ],
    )
