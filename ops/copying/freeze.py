"""Stopping all writes to a server while its data are copied: who reads goes on reading.

Each database gets `default_transaction_read_only`, and whoever is connected has to connect again. A
program may overrule it for itself; the comparison at the end would show what it wrote. What is
stopped is marked in the database itself, so that it is known again after whatever was cut off, and
so that a database that somebody made read-only stays so.
"""

from ops.copying.server import THEIRS, Server

MARK = "todo_ops.frozen"
"""A setting of the databases that are frozen: since when. The server itself gives it no meaning."""

_READ_ONLY = "default_transaction_read_only"
_LINES = """pg_db_role_setting s, unnest(s.setconfig) AS line
  WHERE s.setdatabase = d.oid AND s.setrole = 0 AND split_part(line, '=', 1) ="""
_IS_READ_ONLY = f"SELECT FROM {_LINES} '{_READ_ONLY}' AND split_part(line, '=', 2)::boolean"
IS_FROZEN = f"SELECT FROM {_LINES} '{MARK}'"
"""A query that finds something where the database `d` is frozen."""
# A setting is for new sessions, and some are in the middle of a write.
_DISCONNECT = """SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid();
"""
_FREEZE = f"""
SELECT format('ALTER DATABASE %I SET {MARK} = %L', datname, extract(epoch FROM clock_timestamp())),
  format('ALTER DATABASE %I SET {_READ_ONLY} = on', datname)
FROM pg_database d WHERE {THEIRS} AND NOT EXISTS ({_IS_READ_ONLY}) \\gexec
{_DISCONNECT}"""  # noqa: S608 - of constants
_THAW = f"""
SELECT format('ALTER DATABASE %I RESET {_READ_ONLY}', datname),
  format('ALTER DATABASE %I RESET {MARK}', datname)
FROM pg_database d WHERE EXISTS ({IS_FROZEN}) \\gexec
{_DISCONNECT}"""  # noqa: S608 - of constants
_STAMP = f"""
SELECT string_agg(datname || ' ' || split_part(line, '=', 2), ',' ORDER BY datname)
FROM pg_database d, {_LINES} '{MARK}';
"""  # noqa: S608 - of constants
FROZEN = f"SELECT count(*) FROM pg_database d WHERE EXISTS ({IS_FROZEN});"  # noqa: S608
"""How many databases are frozen."""


def freeze(server: Server) -> None:
    """Stops all writes; what is frozen already stays so."""
    server.sql(_FREEZE)


def thaw(server: Server) -> None:
    """Lets those write again whom `freeze` stopped; does nothing where nothing is frozen."""
    if is_frozen(server):
        server.sql(_THAW)


def is_frozen(server: Server) -> bool:
    """Returns whether `freeze` stopped writes, here or on the server that this one is a copy of."""
    return int(server.sql(FROZEN)) > 0


def stamp(server: Server) -> str:
    """Returns since when each database is frozen: another one is a sign that people could write."""
    return server.sql(_STAMP).strip()
