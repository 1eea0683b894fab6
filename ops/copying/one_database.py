"""Copying what is in one database into an empty one of another server, for another owner."""

import re
from collections.abc import Callable, Sequence

from ops.copying.copying import analyze, copier
from ops.copying.hindrances import require_extensions
from ops.copying.server import Server

# Section by section, since only the data are large; of the others each entry is restored as suits
# it. Extensions that are not trusted are for superusers alone. What names roles holds no data: it
# is restored statement by statement, as far as it can be, and the rest is told. Subscriptions
# would replicate.
_INTO = r"""
superuser="$3" name="$4" into="$5" owner="$6" untrusted="$7"
work="$(mktemp -d -p /dev/shm)"
trap 'rm -rf -- "$work"' EXIT
entry='^[0-9]+; [0-9]+ [0-9]+'
last="$entry (ACL|DEFAULT ACL|COMMENT - EXTENSION|POLICY|PUBLICATION|EVENT TRIGGER|SECURITY LABEL"
last="$last|USER MAPPING) "
filled="$entry MATERIALIZED VIEW DATA "
dump() { at_source "$name" pg_dump --format=custom "$@"; }
restore() {
  pg_restore --exit-on-error --no-owner --no-privileges --no-tablespaces --no-subscriptions \
    --enable-row-security \
    -U "$superuser" -d "$into" "$@"
}
entries() { grep "$@" "$work/all" > "$work/list" || :; }
as_far_as_possible() {
  pg_restore --no-tablespaces -L "$work/list" --file="$work/sql" "$1"
  psql -X -q -b -U "$superuser" -d "$into" -o /dev/null -f "$work/sql" 2> "$work/errors" || :
  sed -n '/ERROR: /{s/^.*ERROR:  *//;h}
    /STATEMENT: /{s/^.*STATEMENT:  */: /;H;x;s/\n//;p}' "$work/errors" >> "$work/left"
}
before="$work/pre-data" after="$work/post-data"
dump --section=pre-data --file="$before"
dump --section=post-data --file="$after"
pg_restore --list "$before" > "$work/all"
entries -E "$entry SCHEMA "
restore --role="$owner" -L "$work/list" "$before"
entries -E "$entry EXTENSION - ($untrusted) "
restore -L "$work/list" "$before"
entries -vE "$last|$entry SCHEMA |$entry EXTENSION - ($untrusted) "
restore --role="$owner" -L "$work/list" "$before"
dump --section=data | restore --role="$owner"
pg_restore --list "$after" > "$work/all"
entries -vE "$last|$filled"
restore --role="$owner" -L "$work/list" "$after"
for section in "$before" "$after"; do
  pg_restore --list "$section" > "$work/all"
  entries -E "$last"
  as_far_as_possible "$section"
done
# What a policy lets its owner see is in a materialized view.
entries -E "$filled"
restore -L "$work/list" "$after"
cat "$work/left"
"""


def copy_database(
    source: Server, target: Server, name: str, empty: Callable[[], str], owner: str
) -> Sequence[str]:
    """Copies what is in one database into an empty one.

    Args:
        source: Where from; it gets a role for the time.
        target: Where to; its programs are at least as new.
        name: The database.
        empty: Makes an empty one, in place of what an earlier attempt left; returns its name.
        owner: A role of the target, which tables and all else that holds data then belong to.

    Returns:
        What could not be copied of rights and of what else holds no data, each with the reason.

    Raises:
        Failure: Something could not be copied; the source is as it was.
    """
    require_extensions(source, target, [name])
    query = "SELECT name FROM pg_available_extensions EXCEPT SELECT name FROM "
    query += "pg_available_extension_versions WHERE trusted;"
    untrusted = "|".join(re.escape(it) for it in target.sql(query).splitlines())
    into = empty()
    with copier(source, target) as run:
        said = run(f"The database {name}", _INTO, name, into, owner, untrusted, anew=empty)
        analyze(run)
    return said.splitlines()
