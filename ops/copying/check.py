"""The check of `validate` that nobody has to wait for a copy that was cut off."""

from collections.abc import Iterator

from ops.copying.freeze import FROZEN
from ops.database import sql
from ops.facts import Facts
from ops.findings import Finding, failed


def writes(facts: Facts) -> Iterator[Finding]:
    """Nobody has stopped the writes to the database's server."""
    if facts.stack.contract.server is None:
        return
    if int(sql(facts.stack, facts.cluster, FROZEN, database="postgres", superuser=True)):
        yield failed(
            "writes",
            "are stopped, the database can only be read",
            "an upgrade runs, or was cut off: go on with it, or back by --back",
            "python -m ops upgrade-database",
        )
