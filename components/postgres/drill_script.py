"""The shell script that proves that the newest backup can be restored.

It restores into a server of its own, on scratch space of its pod: whatever a broken or a large
backup does, it does it there, and not beside the live database. It has the rights that a restore
would have, those of the application's role, and takes as far as it can be what holds no data, such
as a GRANT to a role that is gone.

Its last line is a sentence that says how it ended, and `refused` before it that this is no verdict
on the backup.
"""

from .drill_steps import BEGIN, DISK, READ_ROWS

# An open file can be read to its end even if the next backup removes it.
DRILL_SCRIPT = (
    BEGIN
    + r"""begin=$(date +%s)
cd "$BACKUPS"
named="^$PGDATABASE-[0-9]{8}T[0-9]{6}Z\.dump$"
name="$(ls -1 | grep -E "$named" | sort -r | head -n 1)"
[ -n "$name" ] || fail 'there is no backup to restore yet'
echo "restoring $name ($(stat -c %s "$name") bytes)"
exec 3< "$name"
dump=/proc/self/fd/3
broken() {
  cat "$work/errors"
  fail "$name cannot be restored: $(grep -im 1 'error: ' "$work/errors" | sed 's/^.*error: *//I')"
}
pg_restore --list "$dump" > "$work/all" 2> "$work/errors" || broken

# A row takes some 40 bytes beside its text, and indexes about as much as all rows. A node whose
# disk is nine tenths full is cleared of pods (the kubelet's nodefs.available).
pg_restore --file=- "$dump" 2> /dev/null | wc -lc > "$work/text" & child=$!
wait "$child" || :
child=
read -r lines octets < "$work/text"
needed=$(((octets + 40 * lines) * 2 + 268435456))
"""
    + DISK
    + r"""[ $((free - disk / 10)) -ge "$needed" ] ||
  refuse "restoring $name takes about $needed bytes, and the node's disk has $free of $disk free, \
of which a tenth stays free: make room there"

initdb --pgdata="$work/data" --username=postgres --auth=trust --encoding=UTF8 --no-sync \
  > "$work/errors" 2>&1 || { cat "$work/errors"; refuse 'a server to restore into cannot be made'; }
options="-k $work -c listen_addresses= -c fsync=off -c wal_level=minimal -c max_wal_senders=0"
options="$options -c shared_buffers=64MB -c maintenance_work_mem=64MB -c max_wal_size=128MB"
server=started
pg_ctl start --silent --wait --pgdata="$work/data" --log="$work/log" --options="$options" ||
  { cat "$work/log"; refuse 'a server to restore into does not start'; }
export PGHOST="$work"
ask() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }
ask -U postgres -d postgres -v role="$PGUSER" << 'SQL'
CREATE ROLE :"role" LOGIN CREATEDB;
SQL
# Encoding and order of text are the backup's.
pg_restore --create --schema-only --no-owner --file=- "$dump" | grep -m 1 '^CREATE DATABASE ' |
  ask -d postgres 2> "$work/errors" || broken

entry='^[0-9]+; [0-9]+ [0-9]+'
first="$entry (SCHEMA|EXTENSION) "
last="$entry (ACL|DEFAULT ACL|COMMENT - EXTENSION|POLICY|PUBLICATION|EVENT TRIGGER|SECURITY LABEL"
last="$last|USER MAPPING) "
as_far_as_possible() {
  grep -E "$1" "$work/all" > "$work/list" || return 0
  run pg_restore --no-owner --use-list="$work/list" --dbname="$PGDATABASE" "$dump" \
    2> "$work/left" || sed -n 's/^.*ERROR:  */not restored: /p' "$work/left"
}
as_far_as_possible "$first"
grep -vE "$first|$last" "$work/all" > "$work/list" || :
run pg_restore --exit-on-error --no-owner --no-tablespaces --no-subscriptions \
  --use-list="$work/list" --dbname="$PGDATABASE" "$dump" 2> "$work/errors" || broken
as_far_as_possible "$last"

# A row as text is all of it, also what is stored apart from it.
ask > "$work/rows" 3<&- << 'SQL' &
"""
    + READ_ROWS
    + r"""SQL
child=$!
wait "$child" || fail "$name was restored, but not all of it can be read"
child=
[ -s "$work/rows" ] || fail "$name has no table"
echo "restored $name: $(cat "$work/rows") in $(($(date +%s) - begin)) s"
"""
)
