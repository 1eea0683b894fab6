"""Shell scripts that run in Jobs next to the backups; the password comes from a mounted file."""

_BEGIN = """\
set -eu
export PGPASSWORD="$(cat "$PASSWORD_FILE")"
for second in $(seq 30); do pg_isready --quiet && break; sleep 1; done
cd /backups
"""

LIST = """\
set -eu
cd /backups
for file in *.dump; do
  [ -e "$file" ] && stat -c 'dump|%n|%s|%Y' "$file"
done
df -B1 --output=avail /backups | tail -n 1 | sed 's/ *//;s/^/free|/'
"""

# The sum of the rows' hashes depends on no order and needs no memory, however large the table.
_SUMS = r"""
SELECT format(
  'SELECT ''sum'', ''$SIDE'', %L, count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)'
  ' FROM %I.%I t', schemaname || '.' || tablename, schemaname, tablename)
FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1 \gexec
"""

_CHOOSE = """\
dump="${DUMP:-$(ls -1t -- *.dump 2>/dev/null | head -n 1)}"
[ -n "$dump" ] || { echo 'there is no backup yet: run `python -m ops backup`'; exit 1; }
[ -e "$dump" ] || { echo "there is no backup $dump: see \\`python -m ops backups\\`"; exit 1; }
echo "dump|$dump|$(stat -c '%s|%Y' "$dump")"
"""

_LOAD = """\
drop() { psql -X -q -d postgres -c "DROP DATABASE IF EXISTS \\"$SCRATCH\\" WITH (FORCE)" 2>&1; }
drop > /dev/null
psql -X -q -d postgres -c "CREATE DATABASE \\"$SCRATCH\\" TEMPLATE template0"
begin=$(date +%s%N)
pg_restore --exit-on-error --no-owner --dbname="$SCRATCH" "$dump"
echo "seconds|$(( ($(date +%s%N) - begin) / 1000000 ))"
SIDE=restored
psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$SCRATCH" <<SQL
"""

_LIVE = "SIDE=live\npsql -X -q -A -t -v ON_ERROR_STOP=1 <<SQL\n"
_SHELL_SUMS = _SUMS.replace("\\gexec", "\\\\gexec")

LOAD = f"{_BEGIN}{_CHOOSE}{_LOAD}{_SHELL_SUMS}SQL\n"
"""Loads a dump into the database $SCRATCH, and leaves it there."""

DRILL = (
    f"{_BEGIN}drop() {{ :; }}\ntrap 'drop > /dev/null' EXIT\n"
    f"{_CHOOSE}{_LOAD}{_SHELL_SUMS}SQL\n{_LIVE}{_SHELL_SUMS}SQL\n"
)
"""Loads a dump, sums both databases, and drops the loaded one."""

# One snapshot for the dump and for the sums: equal even while the application writes.
_SNAPSHOT = f"""\
dump="$PGDATABASE-$(date -u +%Y%m%dT%H%M%SZ).dump"
export dump
SIDE=live
psql -X -q -A -t -v ON_ERROR_STOP=1 <<SQL
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT pg_export_snapshot() AS snapshot \\\\gset
\\\\setenv SNAPSHOT :snapshot
\\\\! pg_dump --format=custom --snapshot="\\$SNAPSHOT" --file="\\$dump.part"
{_SHELL_SUMS}COMMIT;
SQL
pg_restore --list "$dump.part" > /dev/null
mv "$dump.part" "$dump"
echo "dump|$dump|$(stat -c '%s|%Y' "$dump")"
"""
FRESH_DRILL = (
    f"{_BEGIN}drop() {{ :; }}\ntrap 'drop > /dev/null' EXIT\n{_SNAPSHOT}{_LOAD}{_SHELL_SUMS}SQL\n"
)
"""Dumps, sums in the same snapshot, loads the dump, sums again, and drops what it loaded."""
