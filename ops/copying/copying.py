"""The copy itself: from one server's pod into another's, without a detour or a file.

By a dump and not by `pg_upgrade`, which needs both versions' programs in one image and takes over
the indexes: another Debian may sort text differently, under indexes that were built with the former
order, and a dump builds them anew. It is also the same between whatever kinds of servers.
"""

import secrets
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

from console.failure import Failure
from ops.copying.hindrances import require_extensions
from ops.copying.passage import Passage
from ops.copying.server import Server, reason
from ops.database import literal
from ops.scram import verifier

COPIER = "database_copy"
"""The role with which the target reads all of the source: for the time of the copy alone."""
_MARK = "made by python -m ops: copy"
"""The role's comment: one without it is somebody's own."""

_NAMED = f"SELECT FROM pg_roles WHERE rolname = '{COPIER}'"
_OWN = f"{_NAMED} AND shobj_description(oid, 'pg_authid') = '{_MARK}'"
_FOREIGN = f"SELECT EXISTS ({_NAMED}) AND NOT EXISTS ({_OWN});"
_MAKE = f"""
BEGIN;
SET LOCAL log_statement = 'none';
SET LOCAL log_min_duration_statement = -1;
SELECT 'CREATE ROLE {COPIER}'
WHERE NOT EXISTS ({_NAMED}) \\gexec
COMMENT ON ROLE {COPIER} IS '{_MARK}';
ALTER ROLE {COPIER} SUPERUSER LOGIN CONNECTION LIMIT 3 PASSWORD {{verifier}};
COMMIT;
"""
_DROP = f"""
SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
WHERE usename = '{COPIER}' AND EXISTS ({_OWN});
SELECT 'DROP ROLE {COPIER}' WHERE EXISTS ({_OWN}) \\gexec
"""  # noqa: S608 - of constants

# Nothing runs in the background: what is left of it, the server gets as the container's first
# process, and takes the end of an unknown child for a crash. After an interruption the first one
# may still run: the second waits for it, and begins anew.
_BEGIN = rf"""set -euo pipefail
read -r PGPASSWORD
export PGPASSWORD PGCONNECT_TIMEOUT=10
export PGOPTIONS="-c default_transaction_read_only=off -c statement_timeout=0"
at_source() {{
  name="$1" && shift
  PGHOST="$host" PGPORT="$port" PGUSER={COPIER} PGDATABASE="$name" \
    PGSSLMODE=require PGCHANNELBINDING=require "$@"
}}
host="$1" port="$2"
exec 9> /dev/shm/database-copy.lock
flock 9
# What enforces policies may need a while to let it through.
late=$((SECONDS + 120))
until said="$(at_source postgres psql -X -q -c '' 2>&1)"; do
  [ "$SECONDS" -lt "$late" ] || {{ echo "error: $said" >&2; exit 1; }}
  sleep 0.5
done
"""

# Roles that are there already only get what the source says of them; of those that are kept so do
# their settings alone.
_ROLES = r"""
at_source postgres pg_dumpall --roles-only |
  { grep -vE "^(CREATE ROLE \"?($4)\"?;|ALTER ROLE \"?($4)\"? WITH |COMMENT ON ROLE $5 )" || :; } |
  psql -X -q -U "$3" -d postgres -o /dev/null -v VERBOSITY=sqlstate 2>&1 |
  { grep 'ERROR:' || :; } | { ! grep -v 'ERROR:  42710$' >&2; }
"""
_DATABASE = r"""
at_source "$4" pg_dump --format=custom --no-tablespaces |
  pg_restore --exit-on-error --no-tablespaces --enable-row-security -U "$3" -d postgres "${@:5}"
"""
_ANALYZE = r"""
vacuumdb --all --analyze-only --quiet -U "$3"
"""

Run = Callable[..., str]
"""Runs a script in the target from the source: of what, the script, its arguments; `anew` says what
has to be done before it is run once more. Returns what it printed."""


def copy_server(source: Server, target: Server, databases: Sequence[str]) -> None:
    """Copies roles, with their passwords, and databases, with all that belongs to them.

    A database that the target has by that name is replaced: run it again after whatever was cut
    off. Nobody may write to the source meanwhile (freeze.py).

    Args:
        source: Where from; it gets a role for the time.
        target: Where to; its programs are at least as new.
        databases: Their names.

    Raises:
        Failure: Something could not be copied; the source is as it was.
    """
    require_extensions(source, target, databases)
    with copier(source, target) as run:
        kept = "|".join([COPIER, source.superuser, target.superuser])
        run("The roles", _ROLES, kept, COPIER)
        for name in databases:
            # A server has this one from the start.
            how = ["--clean", "--if-exists", *([] if name == "postgres" else ["--create"])]
            run(f"The database {name}", _DATABASE, name, *how)
        analyze(run)


def analyze(run: Run) -> None:
    """Has the target look at all that it got: no copy takes statistics along."""
    run("The statistics", _ANALYZE)


@contextmanager
def copier(source: Server, target: Server) -> Generator[Run]:
    """Yields what runs scripts in the target, which is let connect to the source for the time.

    Raises:
        Failure: Somebody has a role of that name, or one of the pods is gone.
    """
    if source.sql(_FOREIGN).strip() == "t":
        raise Failure(
            f"The server in {source.pod} has a role {COPIER} that this program did not make, so "
            "nothing was changed; rename it (ALTER ROLE … RENAME TO …), and run this again."
        )
    password = secrets.token_urlsafe(32)
    source.sql(_MAKE.format(verifier=literal(verifier(password))))

    def run(
        what: str, script: str, *arguments: str, anew: Callable[[], object] = lambda: None
    ) -> str:
        address = [source.address, str(source.port), target.superuser]
        words = ["bash", "-c", _BEGIN + script, "copy", *address, *arguments]
        done = target.run(words, f"{password}\n", anew=anew)
        if done.code:
            raise Failure(
                f"{what} could not be copied from {source.pod} to {target.pod}: {reason(done)}; "
                "correct that, then run this again."
            )
        return done.out

    try:
        with Passage(source, target):
            yield run
    finally:
        drop_copier(source)


def drop_copier(source: Server) -> None:
    """Drops the role that a copying made, also one that was cut off; somebody's own stays."""
    source.sql(_DROP)
