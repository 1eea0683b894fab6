"""The password of the application's role, as a Secret and as a file."""

import pulumi
import pulumi_kubernetes as k8s

from ..metadata.scope import ObjectScope
from ..secrets.volume import secret_volume
from .args import PostgresStatefulSetArgs

core = k8s.core.v1

_PATH = "/run/secrets/postgres"
_VOLUME = "secrets"
_SUFFIX = "-credentials"


def declare_password(scope: ObjectScope, args: PostgresStatefulSetArgs) -> core.Secret | None:
    """Declares the Secret with the password, unless something else keeps one.

    A fixed name, unlike other Secrets: the server reads the password only when it fills an empty
    volume, so a new password (set with ALTER ROLE) need not restart it.
    """
    if args.password is None:
        return None
    return core.Secret(
        f"{scope.name}{_SUFFIX}",
        metadata=scope.metadata(_SUFFIX),
        string_data={args.password_key: pulumi.Output.secret(args.password)},
        opts=scope.opts,
    )


def secret_name(args: PostgresStatefulSetArgs, server: str) -> pulumi.Input[str]:
    """Returns the name of the Secret with the password of a server.

    The name itself and not the Secret's output: a new password replaces the Secret, and what
    depends on an output of a replaced resource may be replaced with it. So whoever needs the Secret
    says so with depends_on.
    """
    return args.existing_secret or f"{server}{_SUFFIX}"


def password_file(args: PostgresStatefulSetArgs) -> str:
    """Returns where the file with the password is."""
    return f"{_PATH}/{args.password_key}"


def password_volume(args: PostgresStatefulSetArgs, server: str) -> core.VolumeArgs:
    """Returns the volume with the password alone, whatever else the Secret has."""
    return secret_volume(_VOLUME, secret_name(args, server), keys=[args.password_key])


def password_mount() -> core.VolumeMountArgs:
    """Returns the mount of the password's volume."""
    return core.VolumeMountArgs(name=_VOLUME, mount_path=_PATH, read_only=True)
