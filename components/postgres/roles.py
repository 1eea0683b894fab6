"""The roles of a new PostgreSQL volume: a superuser for operations, and the application's."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s

from ..metadata.scope import ObjectScope

core = k8s.core.v1

SUPERUSER = "postgres"
"""Only through the socket in the server's pod: it has no password."""
INIT_PATH = "/docker-entrypoint-initdb.d"
"""Where the official image looks for what to run once, when it has filled an empty volume."""

# The superuser is made with the password. Its verifier goes to the application's role as it is, so
# that no statement, and no log of one, has the password. CREATEDB: a restore drill needs a scratch
# database, and a restore one to swap with.
_SCRIPT = """\
psql -X -q -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" \\
  -v application="$APPLICATION_USER" -v database="$POSTGRES_DB" <<'SQL'
SELECT rolpassword AS verifier FROM pg_authid WHERE rolname = current_user \\gset
BEGIN;
SET LOCAL log_statement = 'none';
SET LOCAL log_min_duration_statement = -1;
CREATE ROLE :"application" LOGIN CREATEDB PASSWORD :'verifier';
ALTER DATABASE :"database" OWNER TO :"application";
ALTER ROLE CURRENT_USER PASSWORD NULL;
COMMIT;
SQL
"""


def declare_roles(scope: ObjectScope, more: Mapping[str, str]) -> core.ConfigMap:
    """Declares the script that makes the application's role in a new volume.

    Its name is fixed: what a volume is made with once is no reason to restart a server.

    Args:
        scope: Whose it is.
        more: More scripts by their names, which say the order.
    """
    return core.ConfigMap(
        f"{scope.name}-roles",
        metadata=scope.metadata("-roles"),
        data={"10-roles.sh": _SCRIPT, **more},
        opts=scope.opts,
    )


def roles_volume(config_map: pulumi.Input[str]) -> core.VolumeArgs:
    """Returns the volume with the script."""
    return core.VolumeArgs(name="roles", config_map=core.ConfigMapVolumeSourceArgs(name=config_map))


def roles_mount() -> core.VolumeMountArgs:
    """Returns the mount of the script."""
    return core.VolumeMountArgs(name="roles", mount_path=INIT_PATH, read_only=True)


def roles_environment(database: str, user: str) -> Mapping[str, str]:
    """Returns what the image and the script are told; a volume that is filled ignores it."""
    return {"POSTGRES_DB": database, "POSTGRES_USER": SUPERUSER, "APPLICATION_USER": user}
