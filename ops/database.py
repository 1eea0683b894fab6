"""SQL in the server's own pod: over its local socket, so without a password anywhere."""

import re
from typing import Any

from ops.failure import Failure
from ops.json_tree import Json
from ops.kube import Cluster, Ran
from ops.stack import Stack

CONTAINER = "postgres"
# The role that initdb made always has OID 10 (BOOTSTRAP_SUPERUSERID in pg_authid.dat), whatever
# its name; on volumes from earlier versions it is the application's own role.
_SUPERUSER = """\
role=$(psql -X -q -A -t -U "$0" -d postgres \
  -c 'SELECT rolname FROM pg_roles WHERE oid = 10' < /dev/null) || exit"""


def sql(
    stack: Stack,
    cluster: Cluster,
    statements: str,
    *,
    database: str | None = None,
    superuser: bool = False,
) -> str:
    """Runs statements and returns the rows as lines, columns separated by `|`.

    The statements go through standard input: they are in no process list and, if they hold a
    secret, in no log.

    Args:
        stack: The stack.
        cluster: Its cluster.
        statements: What to run.
        database: Where; None: in the application's database.
        superuser: Whether as the server's first superuser instead of the application's role.

    Raises:
        Failure: The server refused.
    """
    done = run_psql(stack, cluster, statements, database=database, superuser=superuser)
    if done.code:
        reason = next((s for s in done.err.splitlines() if "ERROR" in s or "FATAL" in s), "")
        reason = re.sub(
            r"^.*?(ERROR|FATAL):\s*", "", reason or done.err.strip() or "no reason given"
        )
        raise Failure(
            f"The database refused ({reason[:200]}); look at `python -m ops logs database`."
        )
    return done.out


def run_psql(
    stack: Stack,
    cluster: Cluster,
    statements: str,
    *,
    database: str | None = None,
    superuser: bool = False,
) -> Ran:
    """Runs statements and returns what psql did."""
    address = stack.database
    octets = len(statements.encode())
    role = _SUPERUSER if superuser else 'role="$0"'
    # head: psql then sees the end of its input, which not every API server passes on.
    command = f'{role}\nhead -c {octets} | psql -X -q -A -t -v ON_ERROR_STOP=1 -U "$role" -d "$1"'
    arguments = ["sh", "-c", command, address.user, database or address.name]
    return cluster.run(stack.database_pod(), CONTAINER, arguments, stdin=statements)


def literal(text: str) -> str:
    """Returns a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def rows(text: str) -> list[list[str]]:
    """Returns the cells of what `sql` returned."""
    return [line.split("|") for line in text.splitlines() if line]


def disk(stack: Stack, cluster: Cluster) -> tuple[int, int]:
    """Returns size and free space of the data volume, in bytes."""
    command = ["df", "-B1", "--output=size,avail", "/var/lib/postgresql/data"]
    done = cluster.run(stack.database_pod(), CONTAINER, command)
    words = done.out.split()
    if done.code or len(words) < 4:
        raise Failure("The size of the data volume cannot be read; is the database pod running?")
    return int(words[-2]), int(words[-1])


def server(stack: Stack, cluster: Cluster) -> Json:
    """Returns the database's pod.

    Raises:
        Failure: It is not ready.
    """
    name = stack.database_pod()
    pod = cluster.find(cluster.path("pods", name))
    conditions: list[Any] = (pod or {}).get("status", {}).get("conditions") or []
    if not pod or not any(c["type"] == "Ready" and c["status"] == "True" for c in conditions):
        raise Failure(f"The database pod {name} is not ready; run `python -m ops validate`.")
    return pod
