"""The role with which the metrics of a PostgreSQL server are read, and its password."""

import secrets
from collections.abc import Mapping
from typing import Final

import pulumi
import pulumi_kubernetes as k8s

from ..metadata.scope import ObjectScope
from ..secrets.volume import secret_volume
from ..values.postgres.names import METRICS_ROLE

core = k8s.core.v1

ROLE: Final = METRICS_ROLE
PASSWORD_PATH: Final = "/run/secrets/metrics"  # noqa: S105 - a folder
PASSWORD_KEY: Final = "password"  # noqa: S105 - the name of a key
_VOLUME = "metrics"
_SUFFIX = "-metrics"

# May be run again at any time: it is how a volume that is older than the exporter gets the role.
_SCRIPT = f"""\
psql -X -q -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<'SQL'
\\set password `cat {PASSWORD_PATH}/{PASSWORD_KEY}`
BEGIN;
SET LOCAL log_statement = 'none';
SET LOCAL log_min_duration_statement = -1;
SELECT 'CREATE ROLE {ROLE}'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') \\gexec
ALTER ROLE {ROLE} LOGIN CONNECTION LIMIT 3 PASSWORD :'password';
ALTER ROLE {ROLE} SET default_transaction_read_only = on;
ALTER ROLE {ROLE} SET statement_timeout = '10s';
GRANT pg_monitor TO {ROLE};
COMMIT;
SQL
"""  # noqa: S608 - of constants
ROLE_SCRIPTS: Final[Mapping[str, str]] = {"20-metrics.sh": _SCRIPT}
"""What makes the role in a new volume, or makes it anew, by the name of its file."""


def declare_metrics_password(scope: ObjectScope) -> core.Secret:
    """Declares the Secret with the role's password, made when the Secret is and never after.

    Its name is fixed, since the server's pod mounts it.
    """
    own = pulumi.ResourceOptions(ignore_changes=["stringData", "data"])
    return core.Secret(
        f"{scope.name}{_SUFFIX}",
        metadata=scope.metadata(_SUFFIX),
        string_data={PASSWORD_KEY: pulumi.Output.secret(secrets.token_urlsafe(36))},
        opts=pulumi.ResourceOptions.merge(scope.opts, own),
    )


def metrics_volume(server: str) -> core.VolumeArgs:
    """Returns the volume with the password, for the pod of a server."""
    return secret_volume(_VOLUME, f"{server}{_SUFFIX}")


def metrics_mount() -> core.VolumeMountArgs:
    """Returns the server's mount of the volume."""
    return core.VolumeMountArgs(name=_VOLUME, mount_path=PASSWORD_PATH, read_only=True)
