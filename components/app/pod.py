"""The pod of an AppDeployment."""

from collections.abc import Sequence

import pulumi_kubernetes as k8s

from ..metadata.scope import ObjectScope
from ..pod.probes import probe_args
from ..pod.restricted import container_resources, container_security
from ..pod.spec import pod_spec
from .args import AppDeploymentArgs
from .metrics import scrape_annotations
from .probes import liveness_probe, readiness_probe, startup_probe
from .volumes import volume_mounts, volumes

core = k8s.core.v1


def pod_template(
    scope: ObjectScope,
    args: AppDeploymentArgs,
    *,
    account: core.ServiceAccount,
    config_map: core.ConfigMap | None,
    secret: core.Secret | None,
) -> core.PodTemplateSpecArgs:
    """Returns the pod template.

    Args:
        scope: Names and labels.
        args: What runs.
        account: Whom the pods run as.
        config_map: The files that are no secrets, if any.
        secret: The secret files, unless something else keeps them.
    """
    containers = [_container(scope, args)]
    spec = pod_spec(args, account=account, user=args.user, containers=containers)
    spec.automount_service_account_token = args.api_token
    spec.termination_grace_period_seconds = args.pre_stop_seconds + args.drain_seconds
    spec.topology_spread_constraints = [
        _spread(scope, "kubernetes.io/hostname"),
        _spread(scope, "topology.kubernetes.io/zone"),
    ]
    spec.init_containers = [_init_container(scope, args)] if args.init_command else None
    spec.volumes = volumes(args, config_map, secret)
    return core.PodTemplateSpecArgs(
        metadata=k8s.meta.v1.ObjectMetaArgs(
            labels=scope.labels,
            annotations={**scrape_annotations(args), **args.pod_annotations} or None,
        ),
        spec=spec,
    )


def _container(scope: ObjectScope, args: AppDeploymentArgs) -> core.ContainerArgs:
    ports = {"http": args.port, "metrics": args.metrics_port}
    return core.ContainerArgs(
        name=scope.object_name,
        image=args.image,
        image_pull_policy="IfNotPresent",
        command=_words(args.command),
        args=_words(args.args),
        ports=[
            core.ContainerPortArgs(name=name, container_port=port)
            for name, port in ports.items()
            if port
        ]
        or None,
        env=_env(args),
        resources=container_resources(args.resources),
        security_context=container_security(),
        volume_mounts=volume_mounts(args),
        startup_probe=probe_args(startup_probe(args.startup, args.liveness, args.port)),
        liveness_probe=probe_args(liveness_probe(args.liveness, args.port)),
        readiness_probe=probe_args(readiness_probe(args.readiness, args.port)),
        lifecycle=_pre_stop(args.pre_stop_seconds),
    )


def _pre_stop(seconds: int) -> core.LifecycleArgs | None:
    if seconds == 0:  # Which Kubernetes takes from 1.34 on alone.
        return None
    # The kubelet sleeps by itself: no shell in the image needed.
    sleep = core.SleepActionArgs(seconds=seconds)
    return core.LifecycleArgs(pre_stop=core.LifecycleHandlerArgs(sleep=sleep))


def _init_container(scope: ObjectScope, args: AppDeploymentArgs) -> core.ContainerArgs:
    return core.ContainerArgs(
        name=f"{scope.object_name}-init",
        image=args.image,
        image_pull_policy="IfNotPresent",
        command=_words(args.init_command),
        env=_env(args),
        resources=container_resources(args.resources),
        security_context=container_security(),
        volume_mounts=volume_mounts(args),
    )


def _words(command: Sequence[str] | None) -> list[str] | None:
    return None if command is None else list(command)


def _env(args: AppDeploymentArgs) -> list[core.EnvVarArgs]:
    return [core.EnvVarArgs(name=key, value=value) for key, value in args.env.items()]


def _spread(scope: ObjectScope, topology_key: str) -> core.TopologySpreadConstraintArgs:
    return core.TopologySpreadConstraintArgs(
        max_skew=1,
        topology_key=topology_key,
        # A cluster of one node, as for development, must still run all pods.
        when_unsatisfiable="ScheduleAnyway",
        label_selector=k8s.meta.v1.LabelSelectorArgs(match_labels=scope.selector),
        # Counts the new pods of a rolling update only, not those about to go.
        match_label_keys=["pod-template-hash"],
    )
