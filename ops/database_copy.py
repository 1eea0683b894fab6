"""The application's database of one server, next to that of another, equal row by row."""

from console.failure import Failure
from ops import servers
from ops.context import Target
from ops.copying.comparison import compare_servers, require_equal
from ops.copying.one_database import copy_database
from ops.copying.server import Server
from ops.database_names import Purpose, derived
from ops.database_swap import Candidate, make_empty, own
from ops.dumps import Comparison
from ops.terminal import say


def copy_beside(source: Target, target: Target) -> tuple[Candidate, list[Comparison]]:
    """Copies a database next to the live one of another server, and compares both.

    Args:
        source: Whose database is copied; nobody writes to it.
        target: Where to.

    Returns:
        The copy, and its tables and sequences, all equal.

    Raises:
        Failure: It could not be copied, or the copy is not equal; both live databases are as they
            were.
    """
    name = source.stack.contract.database.name
    here, there = server_of(source), server_of(target)
    database = target.stack.contract.database
    fresh = derived(database.name, Purpose.RESTORED)

    def empty() -> str:
        return make_empty(target, Purpose.RESTORED).name

    for reason in copy_database(here, there, name, empty, database.user):
        say(f"not copied: {reason}", "yellow")
    oid = own(target, fresh)
    if oid is None:
        raise Failure(f"Another restore has dropped {fresh.name} meanwhile; run this again.")
    tables = compare_servers(here, there, {name: fresh.name})
    require_equal(tables)
    return Candidate(fresh, oid), tables


def server_of(to: Target) -> Server:
    """Returns the server that takes writes, as copying and comparing ask it."""
    found = servers.primary(to.stack, to.cluster)
    return Server(to.cluster, found.pod, found.container, found.superuser)
