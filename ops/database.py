"""SQL in the server's own pod: over its local socket, so without a password anywhere."""

import re

from console.failure import Failure
from ops import servers
from ops.kube import Cluster, Ran
from ops.servers import Server
from ops.stack import Stack
from ops.workloads import is_ready

# As the superuser, for whom the server keeps connections free when the application has taken all
# others, but with the rights of the application's role: what is made belongs to it. On volumes of
# earlier versions the application's role is the superuser itself.
CONNECT = """\
if psql -X -q -U "$2" -d "$1" -c "" 2> /dev/null; then
  export PGUSER="$2" PGOPTIONS="-c role=$0"
else
  export PGUSER="$0"
fi
"""
"""Shell lines for $0 = the application's role, $1 = a database, $2 = the superuser."""


def sql(
    stack: Stack,
    cluster: Cluster,
    statements: str,
    *,
    database: str | None = None,
    user: str | None = None,
    superuser: bool = False,
) -> str:
    """Runs statements and returns the rows as lines, columns separated by `|`.

    The statements go through standard input: they are in no process list and, if they hold a
    secret, in no log.

    Args:
        stack: The stack.
        cluster: Its cluster.
        statements: SQL, or what else psql reads.
        database: None: the application's.
        user: A role to connect as; None: the superuser with the rights of the application's role.
        superuser: Whether with the superuser's own rights.

    Raises:
        Failure: The server refused.
    """
    done = run_psql(stack, cluster, statements, database=database, user=user, superuser=superuser)
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
    user: str | None = None,
    superuser: bool = False,
) -> Ran:
    """Runs statements and returns what psql did."""
    names, server = stack.contract.database, servers.primary(stack, cluster)
    if superuser:
        statements = f"SET ROLE NONE;\n{statements}"
    octets = len(statements.encode())
    # head: psql then sees the end of its input, which not every API server passes on.
    connect = 'export PGUSER="$0"\n' if user else CONNECT
    command = f'{connect}head -c {octets} | psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$1"'
    words = [user or names.user, database or names.name, server.superuser]
    return cluster.run(
        server.pod, server.container, ["sh", "-c", command, *words], stdin=statements
    )


def literal(text: str) -> str:
    """Returns a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def disk(cluster: Cluster, server: Server) -> tuple[int, int]:
    """Returns size and free space of a server's volume, in bytes.

    Raises:
        Failure: Its pod does not run.
    """
    command = ["df", "-B1", "--output=size,avail", server.data_path]
    done = cluster.run(server.pod, server.container, command)
    words = done.out.split()
    if done.code or len(words) < 4:
        raise Failure("The size of the data volume cannot be read; is the database pod running?")
    return int(words[-2]), int(words[-1])


def octets(stack: Stack, cluster: Cluster) -> int:
    """Returns how many bytes the application's database takes."""
    statement = "SELECT pg_database_size(current_database());"
    return int(sql(stack, cluster, statement, superuser=True))


def require_ready(stack: Stack, cluster: Cluster) -> None:
    """Checks that the server answers.

    Raises:
        Failure: Its pod is not ready, or the database is outside the cluster.
    """
    name = servers.primary(stack, cluster).pod
    pod = cluster.find("Pod", name)
    if not pod or not is_ready(pod):
        raise Failure(f"The database pod {name} is not ready; run `python -m ops validate`.")
