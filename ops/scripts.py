"""Shell scripts that run in Jobs next to the backups; the password comes from a mounted file.

Long steps run in the background, because dash handles a signal only between foreground commands.
So a job that is stopped ends its own programs and drops what it made.
"""

_NAMED = r"""named="^$PGDATABASE-[0-9]{8}T[0-9]{6}Z\.dump"
"""

# Settings of the database or of a role must not make equal rows look different.
_BEGIN = rf"""set -eu
export LC_ALL=C PGPASSWORD="$(cat "$PASSWORD_FILE")" PGTZ=UTC PGDATESTYLE=ISO
export PGOPTIONS="-c extra_float_digits=1 -c bytea_output=hex -c IntervalStyle=postgres"
for second in $(seq 30); do pg_isready --quiet && break; sleep 1; done
cd /backups
{_NAMED}work="$(mktemp -d)" child= session= made=
stop() {{
  for process in $child $session; do
    {{ kill "$process" && wait "$process"; }} 2> /dev/null || :
  done
  [ -z "$made" ] || discard 'WITH (FORCE)' || echo "$SCRATCH could not be dropped"
  rm -rf -- "$work"
}}
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
exec 3< /dev/null
refuse() {{ printf 'refused\n%s\n' "$1"; exit 1; }}
run() {{ "$@" <&3 & child=$!; wait "$child" || {{ set -- $?; child=; return "$1"; }}; child=; }}
"""

LIST = rf"""set -eu
export LC_ALL=C
cd /backups
{_NAMED}for file in *.dump *.part; do
  [ -f "$file" ] || continue
  kind=other
  if echo "$file" | grep -qE "$named\$"; then
    kind=dump
    pg_restore --list "$file" > /dev/null 2>&1 || kind=unreadable
  elif echo "$file" | grep -qE "$named\.part\$"; then
    kind=running
    flock -n "$file" true && kind=unfinished
  fi
  stat -c "$kind|%n|%s|%Y" "$file"
done
df -B1 --output=avail . | tail -n 1 | sed 's/ *//;s/^/free|/'
"""
"""Lists the backup volume. A `.part` file that nobody locks was left by a job that was killed."""

_CHOOSE = r"""dump="${DUMP:-$(ls -1 | grep -E "$named\$" | sort -r | head -n 1)}"
[ -n "$dump" ] || { echo 'there is no backup yet: run `python -m ops backup`'; exit 1; }
[ -e "$dump" ] || refuse "there is no backup $dump: see \`python -m ops backups\`"
echo "dump|$dump|$(stat -c '%s|%Y' "$dump")"
"""

# A script that does not begin says `refused` first: that is no verdict on a backup.
# Names are compared as text: as names, both sides would be cut at 63 bytes first. A database
# without the mark, and the live one whatever its mark, are never dropped or written to; nor at the
# end one that another drill or restore has made anew in its place.
_SCRATCH = r"""server() {
  psql -X -q -A -t -v ON_ERROR_STOP=1 -d postgres \
    -v live="$PGDATABASE" -v scratch="$SCRATCH" -v mark="$MARK" -v how="${1:-}" -v made="$made"
}
discard() {
  server "$1" << 'SQL'
SELECT format('DROP DATABASE %I %s', datname, :'how') FROM pg_database
WHERE datname::text = :'scratch'::text AND datname::text <> :'live'::text
AND (:'made' = '' OR oid::text = :'made')
AND split_part(shobj_description(oid, 'pg_database'), E'\n', 1) = :'mark' \gexec
SQL
}
why="$(discard '' 2>&1)" || {
  why="$(echo "$why" | sed -n 's/^.*ERROR:  *//p')"
  refuse "$why: if another drill or restore runs, wait for it"
}
there="$(echo "SELECT count(*) FROM pg_database WHERE datname::text = :'scratch'::text" | server)"
[ "$there" = 0 ] || {
  theirs="a database $SCRATCH that this program did not make"
  refuse "there is $theirs: rename it, or drop it yourself"
}
made="$(server << 'SQL'
SELECT format('CREATE DATABASE %I TEMPLATE template0 ENCODING %L LC_COLLATE %L LC_CTYPE %L',
  :'scratch', pg_encoding_to_char(encoding), datcollate, datctype)
FROM pg_database WHERE datname::text = :'live'::text
AND :'scratch'::text <> :'live'::text AND octet_length(:'scratch') < 64 \gexec
SELECT format('COMMENT ON DATABASE %I IS %L', datname, :'mark')
FROM pg_database WHERE datname::text = :'scratch'::text \gexec
SELECT oid FROM pg_database WHERE datname::text = :'scratch'::text
AND shobj_description(oid, 'pg_database') = :'mark';
SQL
)"
[ -n "$made" ] || { echo "the database $SCRATCH could not be made"; exit 1; }
"""

# The sum of the rows' hashes depends on no order and needs no memory, however large the table.
SUMS = r"""
SELECT format(
  'SELECT ''sum'', %L, %L, count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)'
  ' FROM %I.%I t', :'side', schemaname || '.' || tablename, schemaname, tablename)
FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
AND has_table_privilege(format('%I.%I', schemaname, tablename), 'SELECT') ORDER BY 1 \gexec
"""

# What may name roles or need rights that are gone holds no data: it is restored as far as it can
# be, statement by statement, and the rest is told. So are extensions, since some are for
# superusers only; without one that is needed, the tables fail. Subscriptions would replicate.
_LOAD = rf"""{_SCRATCH}
pg_restore --list "$dump" > "$work/all"
entry='^[0-9]+; [0-9]+ [0-9]+'
first="$entry (SCHEMA|EXTENSION) "
last="$entry (ACL|DEFAULT ACL|COMMENT - EXTENSION|POLICY|PUBLICATION|EVENT TRIGGER|SECURITY LABEL"
last="$last|USER MAPPING) "
as_far_as_possible() {{
  grep -E "$1" "$work/all" > "$work/list" || return 0
  pg_restore --no-owner --use-list="$work/list" --file="$work/sql" "$dump"
  run psql -X -q -b -d "$SCRATCH" -o /dev/null 3< "$work/sql" 2> "$work/left" || :
  sed -n '/ERROR: /{{s/^.*ERROR:  *//;h}}
    /STATEMENT: /{{s/^.*STATEMENT:  */: /;H;x;s/\n//;s/^/left|/p}}' "$work/left"
}}
begin=$(date +%s%N)
as_far_as_possible "$first"
grep -vE "$first|$last" "$work/all" > "$work/data" || :
run pg_restore --exit-on-error --no-owner --no-tablespaces --no-subscriptions \
  --use-list="$work/data" --dbname="$SCRATCH" "$dump"
as_far_as_possible "$last"
echo "seconds|$(( ($(date +%s%N) - begin) / 1000000 ))"
run psql -X -q -A -t -v ON_ERROR_STOP=1 -v side=restored -d "$SCRATCH" 3<< 'SQL'
{SUMS}SQL
"""

LOAD = f"""{_BEGIN}{_CHOOSE}{_LOAD}
echo "made|$made"
made=
"""
"""Loads a dump into the database $SCRATCH, says its OID, and leaves it there; after a failure it
drops it."""

DRILL = f"""{_BEGIN}{_CHOOSE}{_LOAD}
run psql -X -q -A -t -v ON_ERROR_STOP=1 -v side=live 3<< 'SQL'
{SUMS}SQL
"""
"""Loads a dump, sums both databases, and drops the loaded one."""

# One snapshot for the dump and for the sums: equal even while the application writes. A session
# holds it; the schedule's own script writes the dump.
_SNAPSHOT = rf"""{_BEGIN}
mkfifo "$work/session"
psql -X -q -A -t -v ON_ERROR_STOP=1 -v side=live < "$work/session" > "$work/live" &
session=$!
exec 4> "$work/session"
trap '' PIPE
echo 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT pg_export_snapshot();' >&4
while [ ! -s "$work/live" ]; do kill -0 "$session" 2> /dev/null || exit 1; sleep 0.1; done
trap - PIPE
dump="$PGDATABASE-$(date -u +%Y%m%dT%H%M%SZ).dump"
run env NAME="$dump" SNAPSHOT="$(head -n 1 "$work/live")" /bin/sh -c "$BACKUP" 4>&-
[ -e "$dump" ] || refuse 'the CronJob is an earlier version: run pulumi up'
cat >&4 << 'SQL'
{SUMS}COMMIT;
SQL
exec 4>&-
wait "$session"
session=
"""

FRESH_DRILL = f"""{_SNAPSHOT}echo "dump|$dump|$(stat -c '%s|%Y' "$dump")"
grep '^sum|' "$work/live"
{_LOAD}"""
"""Dumps, sums in the same snapshot, loads the dump, sums again, and drops what it loaded."""

FRESH_DUMP = f"""{_SNAPSHOT}grep '^sum|' "$work/live" > sums || :
"""
"""Dumps, and sums in the same snapshot, for a dump that goes to an object store and back."""

FRESH_LOAD = f"""{_BEGIN}{_CHOOSE}cat sums
{_LOAD}"""
"""Loads the dump that came back from there, sums again, and drops what it loaded."""
