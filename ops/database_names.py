"""Names of the databases that restoring needs, and the mark by which they are known again.

PostgreSQL cuts a name after 63 bytes and says so in a notice only, so a suffix on a long name could
name another database, even the live one. And a name proves nothing: somebody may have a database
of that name. So names are shortened here, and what this program makes has a comment that says so;
without it nothing is dropped, renamed or overwritten.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

LIMIT = 63
"""NAMEDATALEN - 1: PostgreSQL manual, "Identifiers and Key Words"."""


class Purpose(StrEnum):
    """What a database next to the live one is for."""

    RESTORE_DRILL = "restore_drill"
    """A backup that is compared with the live database, then dropped."""
    RESTORED = "restored"
    """A backup that is to become the live database."""
    BEFORE_RESTORE = "before_restore"
    """The live database as it was, for --undo."""
    SWAP = "swap"
    """What the last restore kept, on its way out."""


@dataclass(frozen=True)
class Derived:
    """A database that this program makes."""

    name: str
    mark: str
    """The first line of the database's comment. It stays with the database when it is renamed."""


def derived(live: str, purpose: Purpose) -> Derived:
    """Returns the database for a purpose.

    A long name is shortened; it then has a hyphen, which no accepted name has, so it differs from
    every live name, and a digest, so it differs between live names that begin alike.

    Args:
        live: Name of the live database.
        purpose: What the other one is for.
    """
    name = f"{live}_{purpose}"
    if len(name.encode()) > LIMIT:
        tail = f"-{hashlib.sha256(live.encode()).hexdigest()[:8]}_{purpose}"
        start = live.encode()[: LIMIT - len(tail)].decode(errors="ignore")
        name = f"{start}{tail}"
    return Derived(name, f"made by python -m ops: {purpose} of {live}")
