"""Taking the application's superuser rights away, on a volume that was made with them.

Volumes of earlier versions have one role: the application's, which initdb made the superuser. Its
name can go to another role while the application runs:

1. A second superuser is made, since nobody can rename the role of the own session.
2. In one transaction the first role is renamed to `postgres`, a role with the application's name
   and password verifier is made, and what belongs to the application is given to it.
3. The same for the objects of other databases, which a restore may have left.
4. The second superuser goes.

Cut off at any step, a second run goes on from there.
"""

from dataclasses import dataclass

from console.failure import Failure
from ops import database
from ops.contract import InClusterDatabase
from ops.kube import Cluster
from ops.scram import verifier
from ops.servers import stateful_set
from ops.stack import Stack

_HELPER = "separating_roles"

# 10 is the OID of the role that initdb made (PostgreSQL source, pg_authid.dat). Sequences of a
# column follow their table; what an extension made stays with it.
_GIVE = """\
SELECT format('ALTER %s %I.%I OWNER TO %I',
  CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
    WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, n.nspname, c.relname, :'role')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relowner = 10 AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND n.nspname !~ '^(pg_|information_schema$)'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('a', 'i', 'e')
    AND (d.deptype = 'e' OR c.relkind = 'S') AND d.classid = 'pg_class'::regclass)
UNION ALL
SELECT format('ALTER TYPE %I.%I OWNER TO %I', n.nspname, t.typname, :'role')
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE t.typowner = 10 AND (t.typtype IN ('e', 'd', 'r') OR c.relkind = 'c')
  AND n.nspname !~ '^(pg_|information_schema$)'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = t.oid AND d.deptype = 'e')
UNION ALL
SELECT format('ALTER ROUTINE %s OWNER TO %I', p.oid::regprocedure, :'role')
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.proowner = 10 AND n.nspname !~ '^(pg_|information_schema$)'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
UNION ALL
SELECT format('ALTER SCHEMA %I OWNER TO %I', nspname, :'role')
FROM pg_namespace WHERE nspowner = 10 AND nspname !~ '^(pg_|information_schema$)'
\\gexec
"""
_DATABASES = """\
SELECT format('ALTER DATABASE %I OWNER TO %I', datname, :'role') FROM pg_database
WHERE datdba = 10 AND NOT datistemplate AND datname <> 'postgres' \\gexec
"""
_RENAME = """\
SELECT rolpassword AS verifier FROM pg_authid WHERE oid = 10 \\gset
BEGIN;
SET LOCAL log_statement = 'none';
SET LOCAL log_min_duration_statement = -1;
SET LOCAL lock_timeout = '5s';
ALTER ROLE :"role" RENAME TO :"superuser";
CREATE ROLE :"role" LOGIN CREATEDB PASSWORD :'verifier';
ALTER ROLE :"superuser" PASSWORD NULL;
"""


@dataclass
class RoleSeparation:
    """The roles of one stack's server."""

    stack: Stack
    cluster: Cluster

    @property
    def superuser(self) -> str:
        """The role that new volumes have as their superuser."""
        return self._database().superuser

    def is_superuser(self) -> bool | None:
        """Returns whether the application's role is one; None: there is no such role."""
        role = self.stack.contract.database.user
        query = f"SELECT rolsuper FROM pg_roles WHERE rolname = '{role}';"  # noqa: S608 - checked
        found = self._run(self._first(), "postgres", query).strip()
        return {"t": True, "f": False}.get(found)

    def complete(self) -> bool:
        """Returns whether nothing is left to do."""
        if self.is_superuser() is not False or self._has(_HELPER):
            return False
        query = "SELECT count(*) FROM pg_database WHERE datdba = 10 AND NOT datistemplate"
        return self._run(self.superuser, "postgres", f"{query} AND datname <> 'postgres';") == "0\n"

    def separate(self, password: str | None) -> None:
        """Makes the application's role one without special rights.

        Args:
            password: The application's; needed only if the role is missing altogether, because a
                server was cut off while it filled a new volume.

        Raises:
            Failure: The server refused; nothing is half done.
        """
        address = self.stack.contract.database
        match self.is_superuser():
            case True:
                if self._has(self.superuser):
                    raise Failure(
                        f"There is a role {self.superuser} already that is not the server's first; "
                        f"rename it (ALTER ROLE {self.superuser} RENAME TO …) and run this again."
                    )
                if not self._has(_HELPER):
                    self._run(address.user, "postgres", f"CREATE ROLE {_HELPER} SUPERUSER LOGIN;")
                self._run(_HELPER, address.name, f"{_RENAME}{_DATABASES}{_GIVE}COMMIT;")
            case None:
                if password is None:
                    raise Failure(
                        f"The server has no role {address.user}, and its password is not in the "
                        "stack's configuration; make the role by hand."
                    )
                create = f"CREATE ROLE :\"role\" LOGIN CREATEDB PASSWORD '{verifier(password)}';\n"
                self._run(self.superuser, "postgres", create + _DATABASES)
            case False:
                self._run(self.superuser, "postgres", _DATABASES)
        for name in self._databases():
            self._run(self.superuser, name, f"SET lock_timeout = '5s';\n{_GIVE}")
        self._run(self.superuser, "postgres", f"DROP ROLE IF EXISTS {_HELPER};")

    def _databases(self) -> list[str]:
        query = "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres';"
        return self._run(self.superuser, "postgres", query).splitlines()

    def _database(self) -> InClusterDatabase:
        return stateful_set(
            self.stack,
            "The application's role has never been a superuser",
        )

    def _first(self) -> str:
        """Returns the name of the role that initdb made."""
        server = self._database()
        command = ["psql", "-X", "-U", server.superuser, "-d", "postgres", "-c", ""]
        done = self.cluster.run(server.pod, server.container, command)
        return server.user if done.code else server.superuser

    def _has(self, role: str) -> bool:
        query = f"SELECT 1 FROM pg_roles WHERE rolname = '{role}';"  # noqa: S608 - a constant
        return bool(self._run(self._first(), "postgres", query).strip())

    def _run(self, user: str, name: str, statements: str) -> str:
        role = self.stack.contract.database.user
        names = f"\\set role '{role}'\n\\set superuser '{self.superuser}'\n"
        return database.sql(self.stack, self.cluster, names + statements, database=name, user=user)
