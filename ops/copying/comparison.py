"""Whether two servers have the same rows, large objects and next values of sequences."""

from collections.abc import Mapping, Sequence

from console.failure import Failure
from ops.copying.server import Server
from ops.dumps import Comparison, Report, compare, read
from ops.scripts import SUMS

# As a table of one row: the value, and whether it was given away already.
_SEQUENCES = r"""
SELECT format(
  'SELECT ''sum'', %L, %L, 1, last_value::text || is_called::text FROM %I.%I',
  :'side', 'sequence ' || schemaname || '.' || sequencename, schemaname, sequencename)
FROM pg_sequences WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
ORDER BY 1 \gexec
"""
# By their contents, a megabyte at a time: how they lie in pages may differ. Where there are none,
# nothing.
_LARGE_OBJECTS = r"""
SELECT 'sum', :'side', 'large objects', count(DISTINCT m.oid),
  sum(hashtextextended(
    m.oid || ' ' || n || ' ' || md5(lo_get(m.oid, n << 20, 1 << 20)), 0)::numeric)
FROM pg_largeobject_metadata m CROSS JOIN LATERAL generate_series(
  0, coalesce((SELECT max(pageno) FROM pg_largeobject WHERE loid = m.oid), 0)::bigint >> 9) n
HAVING count(*) > 0;
"""


def compare_servers(
    source: Server, target: Server, databases: Mapping[str, str]
) -> list[Comparison]:
    """Returns every table and every sequence of both sides, by `database schema.name`.

    A database's large objects are one more.

    Args:
        source: The server that was copied.
        target: The server with the copy.
        databases: What is called what there.
    """
    report = Report()
    for name, copied in databases.items():
        for side, server, here in (("live", source, name), ("restored", target, copied)):
            lines = server.sql(
                f"\\set side {side}\n{SUMS}{_SEQUENCES}{_LARGE_OBJECTS}", database=here
            )
            found = read(lines.splitlines())
            report.live |= {f"{name} {key}": value for key, value in found.live.items()}
            report.restored |= {f"{name} {key}": value for key, value in found.restored.items()}
    return compare(report)


def copied(tables: Sequence[Comparison]) -> str:
    """Returns in words what was copied, of which `require_equal` has said that it is the same.

    Args:
        tables: The tables and sequences, as `compare_servers` returns them.
    """
    rows = sum(it.live.rows for it in tables if it.live and " sequence " not in it.table)
    return f"copied {len(tables)} tables and sequences, {rows} rows, all identical by checksum"


def require_equal(tables: Sequence[Comparison]) -> None:
    """Checks that each is the same on both sides.

    Raises:
        Failure: One is not; says which.
    """
    if different := [it.table for it in tables if not it.same]:
        raise Failure(
            f"The copy differs from what it was made of ({', '.join(different[:3])}), so the "
            "server stays the one it is; somebody may have written meanwhile: run this again."
        )
