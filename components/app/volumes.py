"""The files that the containers of an AppDeployment have."""

import pulumi_kubernetes as k8s

from ..metadata.labels import object_name
from ..metadata.scope import ObjectScope
from ..pod.restricted import scratch_volume
from ..secrets.files import files_mount, files_volume
from .args import CONFIG_PATH, AppDeploymentArgs

core = k8s.core.v1


def declare_config_map(scope: ObjectScope, args: AppDeploymentArgs) -> core.ConfigMap | None:
    """Declares the ConfigMap with the configuration's files, if there are any."""
    if not args.config_files:
        return None
    return core.ConfigMap(
        f"{scope.name}-config",
        metadata=scope.unnamed_metadata(),
        data=dict(args.config_files),
        opts=scope.opts,
    )


def volumes(
    args: AppDeploymentArgs, config_map: core.ConfigMap | None, secret: core.Secret | None
) -> list[core.VolumeArgs]:
    """Returns the pod's volumes."""
    scratch = [scratch_volume(name, "64Mi") for name in _scratch(args)]
    config: list[core.VolumeArgs] = []
    if config_map:
        source = core.ConfigMapVolumeSourceArgs(name=object_name(config_map))
        config.append(core.VolumeArgs(name="config", config_map=source))
    secrets = [files_volume(args.secret_files, secret)] if args.secret_files else []
    return [*scratch, *config, *secrets, *args.extra_volumes]


def volume_mounts(args: AppDeploymentArgs) -> list[core.VolumeMountArgs]:
    """Returns where the volumes are in the containers."""
    scratch = [
        core.VolumeMountArgs(name=name, mount_path=path) for name, path in _scratch(args).items()
    ]
    config = core.VolumeMountArgs(name="config", mount_path=CONFIG_PATH, read_only=True)
    return [
        *scratch,
        *([config] if args.config_files else []),
        *([files_mount(args.secret_files)] if args.secret_files else []),
        *args.extra_volume_mounts,
    ]


def _scratch(args: AppDeploymentArgs) -> dict[str, str]:
    return {f"scratch-{index}": path for index, path in enumerate(args.writable_paths)}
