"""The password of the application's role, in the Secret that the operator reads."""

import pulumi
import pulumi_kubernetes as k8s

from ..metadata.scope import ObjectScope
from .args import PostgresClusterArgs

core = k8s.core.v1

PASSWORD_KEY = "password"  # noqa: S105 - the name of a key
RELOADED = {"cnpg.io/reload": "true"}
"""The label with which the operator follows a Secret: a new password is the role's at once."""
_SUFFIX = "-credentials"


def declare_credentials(scope: ObjectScope, args: PostgresClusterArgs) -> core.Secret | None:
    """Declares the Secret with role and password, unless something else keeps one.

    A fixed name, since the Cluster has it for ever.
    """
    if args.password is None:
        return None
    return core.Secret(
        f"{scope.name}{_SUFFIX}",
        metadata=scope.metadata(_SUFFIX, labels=RELOADED),
        type="kubernetes.io/basic-auth",
        string_data={"username": args.user, PASSWORD_KEY: pulumi.Output.secret(args.password)},
        opts=scope.opts,
    )


def credentials_name(scope: ObjectScope, args: PostgresClusterArgs) -> pulumi.Input[str]:
    """Returns the name of the Secret: the name itself, as a new password replaces the Secret."""
    return args.existing_secret or f"{scope.object_name}{_SUFFIX}"
