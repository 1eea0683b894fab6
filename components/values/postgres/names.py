"""Names inside a PostgreSQL server."""

from typing import Annotated

from pydantic import AfterValidator

from ..text import Matching


def _database_name(value: str) -> str:
    if value in {"template0", "template1"}:
        raise ValueError("expected a name that PostgreSQL does not use itself, such as shop")
    return value


def _role_name(value: str) -> str:
    # PostgreSQL manual, "CREATE ROLE" and "Predefined Roles".
    if value.startswith("pg_") or value in {"public", "none"}:
        raise ValueError("expected a role that PostgreSQL does not reserve (pg_…, public, none)")
    return value


_PostgresName = Annotated[
    str,
    Matching(
        pattern="[a-z_][a-z0-9_]*",
        longest=63,
        allowed="a name of PostgreSQL that needs no quotes: up to 63 lower-case letters, digits "
        "and '_', and no digit first",
    ),
]
DatabaseName = Annotated[_PostgresName, AfterValidator(_database_name)]
RoleName = Annotated[_PostgresName, AfterValidator(_role_name)]

METRICS_ROLE = "metrics_exporter"
"""The role with which a server's metrics are read, where they are."""
