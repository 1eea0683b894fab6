"""The pod of an AppDeployment."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s

from ..metadata.labels import object_name as name_of
from ..metadata.labels import selector
from ..pod.restricted import (
    container_resources,
    container_security,
    http_probe,
    pod_security,
    scratch_volume,
    secret_references,
)
from .args import CONFIG_PATH, AppDeploymentArgs
from .metrics import scrape_annotations

core = k8s.core.v1


def pod_template(
    name: str,
    args: AppDeploymentArgs,
    *,
    object_name: str,
    labels: Mapping[str, str],
    account: core.ServiceAccount,
    opts: pulumi.ResourceOptions,
) -> core.PodTemplateSpecArgs:
    """Returns the pod template, and declares the ConfigMap and the Secret that it mounts."""
    volumes, mounts = _volumes(name, args, labels, opts)
    main = _container(object_name, args, mounts)
    init = [_init_container(object_name, args, mounts)] if args.init_command else None
    return core.PodTemplateSpecArgs(
        metadata=k8s.meta.v1.ObjectMetaArgs(
            labels=dict(labels),
            annotations=scrape_annotations(
                args.metrics, args.metrics_path, args.metrics_port or args.port
            ),
        ),
        spec=core.PodSpecArgs(
            service_account_name=name_of(account),
            automount_service_account_token=False,
            enable_service_links=False,
            image_pull_secrets=secret_references(args.pull_secrets),
            security_context=pod_security(args.user, args.user),
            termination_grace_period_seconds=args.pre_stop_seconds + args.drain_seconds,
            topology_spread_constraints=[
                _spread(object_name, args.instance, "kubernetes.io/hostname"),
                _spread(object_name, args.instance, "topology.kubernetes.io/zone"),
            ],
            init_containers=init,
            containers=[main],
            volumes=volumes,
        ),
    )


def _container(
    name: str, args: AppDeploymentArgs, mounts: list[core.VolumeMountArgs]
) -> core.ContainerArgs:
    return core.ContainerArgs(
        name=name,
        image=args.image,
        image_pull_policy="IfNotPresent",
        ports=[
            core.ContainerPortArgs(name="http", container_port=args.port),
            *(
                [core.ContainerPortArgs(name="metrics", container_port=args.metrics_port)]
                if args.metrics_port
                else []
            ),
        ],
        env=_env(args),
        resources=container_resources(args.resources),
        security_context=container_security(),
        volume_mounts=mounts,
        # Up to 2 minutes to start; only then do the other two count.
        startup_probe=http_probe(args.liveness_path, "http", period=2, failures=60),
        liveness_probe=http_probe(args.liveness_path, "http", period=10, failures=3),
        readiness_probe=http_probe(args.readiness_path, "http", period=5, failures=3),
        lifecycle=_pre_stop(args.pre_stop_seconds),
    )


def _pre_stop(seconds: int) -> core.LifecycleArgs | None:
    if seconds == 0:  # Which Kubernetes takes from 1.34 on alone.
        return None
    # The kubelet sleeps by itself: no shell in the image needed.
    sleep = core.SleepActionArgs(seconds=seconds)
    return core.LifecycleArgs(pre_stop=core.LifecycleHandlerArgs(sleep=sleep))


def _init_container(
    name: str, args: AppDeploymentArgs, mounts: list[core.VolumeMountArgs]
) -> core.ContainerArgs:
    return core.ContainerArgs(
        name=f"{name}-init",
        image=args.image,
        image_pull_policy="IfNotPresent",
        command=list(args.init_command or ()),
        env=_env(args),
        resources=container_resources(args.resources),
        security_context=container_security(),
        volume_mounts=mounts,
    )


def _env(args: AppDeploymentArgs) -> list[core.EnvVarArgs]:
    return [core.EnvVarArgs(name=key, value=value) for key, value in args.env.items()]


def _spread(name: str, instance: str, topology_key: str) -> core.TopologySpreadConstraintArgs:
    return core.TopologySpreadConstraintArgs(
        max_skew=1,
        topology_key=topology_key,
        # A cluster of one node, as for development, must still run all pods.
        when_unsatisfiable="ScheduleAnyway",
        label_selector=k8s.meta.v1.LabelSelectorArgs(match_labels=selector(name, instance)),
        # Counts the new pods of a rolling update only, not those about to go.
        match_label_keys=["pod-template-hash"],
    )


def _volumes(
    name: str, args: AppDeploymentArgs, labels: Mapping[str, str], opts: pulumi.ResourceOptions
) -> tuple[list[core.VolumeArgs], list[core.VolumeMountArgs]]:
    volumes: list[core.VolumeArgs] = []
    mounts: list[core.VolumeMountArgs] = []
    for index, path in enumerate(args.writable_paths):
        volumes.append(scratch_volume(f"scratch-{index}", "64Mi"))
        mounts.append(core.VolumeMountArgs(name=f"scratch-{index}", mount_path=path))
    if args.config_files:
        config = core.ConfigMap(
            f"{name}-config",
            metadata=k8s.meta.v1.ObjectMetaArgs(namespace=args.namespace, labels=dict(labels)),
            data=dict(args.config_files),
            opts=opts,
        )
        source = core.ConfigMapVolumeSourceArgs(name=name_of(config))
        volumes.append(core.VolumeArgs(name="config", config_map=source))
        mounts.append(core.VolumeMountArgs(name="config", mount_path=CONFIG_PATH, read_only=True))
    if args.secret_files:
        volume, mount = args.secret_files.mount(name, args.namespace, labels, opts)
        volumes.append(volume)
        mounts.append(mount)
    return volumes, mounts
