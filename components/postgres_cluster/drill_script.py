"""The shell script that proves that the newest base backup and the log after it can be recovered.

It recovers into a server of its own, on scratch space of its pod, without the operator and without
any right in the cluster: it only reads the store. Its last line is a sentence that says how it
ended, and `refused` before it that this is no verdict on the archive.
"""

from ..postgres.drill_steps import BEGIN, DISK, READ_ROWS

DRILL_SCRIPT = (
    BEGIN
    + r"""said() {
  grep -iE 'error|fatal|panic' "$1" | tail -n 1 | sed 's/^.*\(ERROR\|FATAL\|PANIC\): *//'
}

begin=$(date +%s)
export TMPDIR="$work" AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
AWS_ACCESS_KEY_ID="$(cat "$KEY_ID_FILE")"
AWS_SECRET_ACCESS_KEY="$(cat "$SECRET_FILE")"
[ -z "${AUTHORITY_FILE:-}" ] || export AWS_CA_BUNDLE="$AUTHORITY_FILE"
store="--cloud-provider aws-s3 --endpoint-url $ENDPOINT"

"""
    + DISK
    + r"""[ $((free - disk / 10)) -ge "$ROOM" ] ||
  refuse "recovering may take $ROOM bytes, as the database's volume holds, and the node's disk has \
$free of $disk free, of which a tenth stays free: make room there"

list() {
  run barman-cloud-backup-list $store "$DESTINATION" "$ARCHIVE" > "$work/list" 2> "$work/errors"
}
list || { cat "$work/errors"; refuse "the object store cannot be read: $(said "$work/errors")"; }
# What fails while the store is away says nothing of the backup. Barman's 2: it was not reached.
verdict() {
  list && [ ! -e "$SCRATCH/away" ] ||
    refuse "the object store went away meanwhile, which says nothing of the base backup $backup"
  fail "$1"
}
rm -f "$SCRATCH/away"
# Those that ended, the newest last.
backup="$(sed -n 's/^\([0-9]*T[0-9]*\) .*$/\1/p' "$work/list" | sort | tail -n 1)"
[ -n "$backup" ] || fail 'there is no base backup to recover yet'
echo "recovering the base backup $backup of $ARCHIVE"
run barman-cloud-restore $store "$DESTINATION" "$ARCHIVE" "$backup" "$work/data" \
  > "$work/told" 2>&1 || { [ $? != 2 ] || : > "$SCRATCH/away"; cat "$work/told"
  verdict "the base backup $backup cannot be read back: $(said "$work/told")"; }

# The server's own files name paths of the operator's, and a subscription of the database is not to
# begin here. Only a missing segment (1) ends the log: whatever else fails, as a store may for a
# moment, is tried again and then told by a code that makes PostgreSQL give up instead.
mkdir -p "$work/data/pg_wal/archive_status"
chmod -R go= "$work/data"
rm -f "$work/data/standby.signal"
: > "$work/data/postgresql.auto.conf"
: > "$work/data/recovery.signal"
echo 'local all all trust' > "$work/hba"
cat > "$work/fetch" << 'SH'
for attempt in 1 2; do
  code=0
  barman-cloud-wal-restore --cloud-provider aws-s3 --endpoint-url "$ENDPOINT" \
    "$DESTINATION" "$ARCHIVE" "$1" "$2" 2> "$SCRATCH/fetching" || code=$?
  case "$code" in
    0) echo "$1" >> "$SCRATCH/fetched"; exit ;;
    1) exit 1 ;;
  esac
  [ "$attempt" = 2 ] || sleep "$PAUSE"
done
[ "$code" != 2 ] || : > "$SCRATCH/away"
cat "$SCRATCH/fetching" >&2
exit 200
SH
: > "$SCRATCH/fetched"
cat > "$work/conf" << CONF
listen_addresses = ''
unix_socket_directories = '$work'
hba_file = '$work/hba'
archive_mode = off
hot_standby = off
fsync = off
shared_buffers = 64MB
max_wal_size = 128MB
max_prepared_transactions = 100
max_parallel_workers_per_gather = 0
max_logical_replication_workers = 0
recovery_target_timeline = 'latest'
restore_command = 'sh "$work/fetch" "%f" "%p"'
CONF
unrecovered() {
  cat "$work/log"
  verdict "the base backup $backup cannot be recovered: $(said "$work/log")"
}
server=started
run pg_ctl start --silent --wait --pgdata="$work/data" --log="$work/log" \
  --options="-c config_file=$work/conf" || unrecovered
export PGHOST="$work"
ask() { psql -X -q -A -t -v ON_ERROR_STOP=1 -U postgres "$@"; }
# It lets nobody in before the end of the log, for which pg_ctl does not wait.
until ask -d postgres -c '' 2> /dev/null; do
  pg_ctl status --pgdata="$work/data" > /dev/null || unrecovered
  [ $(($(date +%s) - begin)) -lt "$SECONDS_LEFT" ] ||
    fail "the log after the base backup $backup takes more than $SECONDS_LEFT s to recover: \
let base backups be made more often"
  run sleep 1
done
moment="$(ask -d postgres -c 'SELECT pg_last_xact_replay_timestamp()')"
ask -d "$PGDATABASE" > "$work/rows" 2> "$work/errors" << 'SQL' &
"""
    + READ_ROWS
    + r"""SQL
child=$!
wait "$child" ||
  fail "the base backup $backup was recovered, but cannot be read: $(said "$work/errors")"
child=
[ -s "$work/rows" ] || fail "the base backup $backup has no table in $PGDATABASE"
segments="$(grep -cv history "$SCRATCH/fetched" || :)"
echo "recovered the base backup $backup and $segments segments of the log: $(cat "$work/rows")\
${moment:+, the last change at $moment,} in $(($(date +%s) - begin)) s"
"""
)
