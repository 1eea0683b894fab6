"""What a copy would lose, and who would go on writing: found before anything is stopped.

A copy takes what is in the databases, and the roles. Writes are stopped by a setting (freeze.py).
"""

from collections.abc import Sequence

from console.failure import ExitCode, Failure
from ops.copying.freeze import IS_FROZEN
from ops.copying.server import THEIRS, Server

# Columns: what it is, its name, its database, or nothing where it concerns all.
_FOUND = f"""
SELECT 'closed', datname, datname FROM pg_database
WHERE {THEIRS} AND (NOT datallowconn OR datconnlimit = -2)
UNION ALL SELECT 'prepared', gid, database FROM pg_prepared_xacts
UNION ALL SELECT 'slot', slot_name, database FROM pg_replication_slots
WHERE slot_type = 'logical' AND NOT temporary
UNION ALL SELECT 'subscription', subname, datname
FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE subenabled
UNION ALL SELECT 'writer', rolname, datname FROM pg_db_role_setting
JOIN pg_roles r ON r.oid = setrole LEFT JOIN pg_database d ON d.oid = setdatabase,
unnest(setconfig) AS line WHERE split_part(line, '=', 1) = 'default_transaction_read_only'
AND NOT split_part(line, '=', 2)::boolean
ORDER BY 1, 2;
"""  # noqa: S608 - of constants
_LEFT = f"""
SELECT name FROM pg_file_settings WHERE sourcefile LIKE '%/postgresql.auto.conf'
UNION SELECT split_part(line, '=', 1)
FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase, unnest(setconfig) AS line
WHERE datname = 'postgres' AND setrole = 0 AND NOT EXISTS ({IS_FROZEN}) ORDER BY 1;
"""  # noqa: S608 - of constants
_SENTENCES = {
    "closed": "The database {name} takes no connections, so it cannot be copied; let it take some "
    "(ALTER DATABASE … ALLOW_CONNECTIONS true) or drop it, then run this again.",
    "prepared": "The transaction {name} is prepared and neither committed nor rolled back, and no "
    "copy would have it; end it (COMMIT PREPARED or ROLLBACK PREPARED), then run this again.",
    "slot": "The replication slot {name} has a reader who would miss what comes after the copy; "
    "end that and drop the slot (pg_drop_replication_slot), then run this again.",
    "subscription": "The subscription {name} would go on writing while the server is copied, and "
    "not go on in the copy; disable it (ALTER SUBSCRIPTION … DISABLE), run this again, and enable "
    "it then.",
    "writer": "The role {name} may write whatever its database says, so its writes cannot be "
    "stopped; ALTER ROLE … RESET default_transaction_read_only, then run this again.",
}


def require_copyable(source: Server, databases: Sequence[str], *, frozen: bool = True) -> None:
    """Checks that a copy would have all that is in some databases, and that writes can be stopped.

    Args:
        source: Their server.
        databases: Their names.
        frozen: Whether it is a setting that stops them (freeze.py), which a role may overrule.

    Raises:
        Failure: Something is in the way; says what to do with it.
    """
    for line in source.sql(_FOUND).splitlines():
        kind, *name, database = line.split("|")
        concerned = not database or database in databases
        if concerned and (frozen or kind != "writer"):
            raise Failure(_SENTENCES[kind].format(name="|".join(name)), ExitCode.USAGE)


def require_extensions(source: Server, target: Server, databases: Sequence[str]) -> None:
    """Checks that the target can have the extensions of some databases.

    Raises:
        Failure: It lacks one.
    """
    query = "SELECT extname FROM pg_extension;"
    wanted = {it for name in databases for it in source.sql(query, database=name).splitlines()}
    there = {*target.sql("SELECT name FROM pg_available_extensions;").splitlines()}
    if missing := sorted(wanted - there):
        raise Failure(
            f"The new server's image lacks the extensions {', '.join(missing)}, which the "
            "databases use; choose an image that has them, and run this again."
        )


def left_settings(server: Server) -> list[str]:
    """Returns the settings by ALTER SYSTEM and of the database postgres: no copy takes them along.

    That database is there from the start, and is filled and not made.
    """
    return server.sql(_LEFT).splitlines()
