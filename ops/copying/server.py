"""A PostgreSQL server in a pod, asked over the socket in it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from console.failure import Failure
from ops.kube import Cluster, Ran
from ops.retry import BrokenError
from ops.terminal import note

_ATTEMPTS = 3
"""So often a command is run at the most, when its connection breaks each time."""
# What is frozen (freeze.py) refuses writes to whoever does not say so.
_CONNECT = (
    'PGUSER="$0" PGDATABASE="$1" PGOPTIONS="-c default_transaction_read_only=off'
    " -c extra_float_digits=1 -c bytea_output=hex -c IntervalStyle=postgres"
    ' -c statement_timeout=0" PGTZ=UTC PGDATESTYLE=ISO psql -X -q -A -t -v ON_ERROR_STOP=1'
)
THEIRS = "datname NOT IN ('template0', 'template1')"
"""Which rows of `pg_database` are somebody's: also a template may be."""


@dataclass(frozen=True)
class Server:
    """One server."""

    cluster: Cluster
    pod: str
    container: str
    superuser: str
    """Trusted at the socket."""
    port: int = 5432

    def sql(self, statements: str, *, database: str = "postgres") -> str:
        """Runs statements as the superuser and returns the rows as lines, columns with `|` between.

        The statements go through standard input: they are in no process list and in no log.

        Raises:
            Failure: The server refused, or its pod is gone.
        """
        command = f"head -c {len(statements.encode())} | {_CONNECT}"
        done = self.run(["sh", "-c", command, self.superuser, database], statements)
        if done.code:
            raise Failure(f"The server in {self.pod} refused: {reason(done)}; run this again.")
        return done.out

    def run(
        self, command: Sequence[str], stdin: str = "", *, anew: Callable[[], object] = lambda: None
    ) -> Ran:
        """Runs a command in the server's container, once more where its connection breaks.

        Args:
            command: What may be run twice.
            stdin: What it reads.
            anew: What has to be done before it is run once more.

        Raises:
            BrokenError: It broke each time.
        """
        for left in reversed(range(_ATTEMPTS)):
            try:
                return self.cluster.run(self.pod, self.container, command, stdin=stdin, once=True)
            except BrokenError:
                if not left:
                    raise
                note(f"the connection to {self.pod} broke; beginning that step anew", "yellow")
                anew()
        raise AssertionError("the last attempt has an end")  # pragma: no cover

    @property
    def address(self) -> str:
        """The address of its pod.

        Raises:
            Failure: The pod is gone.
        """
        pod = self.cluster.find("Pod", self.pod)
        found = pod and pod["status"].get("podIP")
        if not found:
            raise Failure(f"The pod {self.pod} is gone or has no address; run this again.")
        return str(found)

    def major(self) -> int:
        """Returns its major version."""
        return int(self.sql("SHOW server_version_num;")) // 10000

    def databases(self) -> list[str]:
        """Returns the names of all databases but the two templates that every server has."""
        query = f"SELECT datname FROM pg_database WHERE {THEIRS} ORDER BY datname;"  # noqa: S608
        return self.sql(query).splitlines()


def reason(done: Ran) -> str:
    """Returns why a program of PostgreSQL failed: what it said first of an error, in a line."""
    lines = [line.strip() for line in done.err.splitlines() if line.strip()]
    first = next((it for it in lines if re.search("error|fatal", it, re.IGNORECASE)), "")
    text = first or (lines[-1] if lines else f"exit code {done.code}")
    return re.sub(r"^.*?(ERROR|FATAL|error|fatal):\s*", "", text)[:300].rstrip(".")
