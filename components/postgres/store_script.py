"""The shell script that brings dumps to an object store and back, and keeps order there: restic.

One script with a word for what to do, so that whoever runs a job with it needs no other. It runs in
dash and in busybox, since the official image of restic is Alpine's. Everything that restic writes
is encrypted. A dump counts once it was read back from the store: it is `unproven` before, `proven`
after, and only then do older ones go. `--host` is whose they are: those of another owner in the
same folder are neither counted nor removed.

restic asks for 15 minutes again what a store refuses; whoever waits wants to know it before.

A restic that was killed leaves its lock. Another one respects it, whatever its age, until `unlock`
removes it: once nobody has renewed it for 30 minutes. It would also remove a lock at once whose
host has its own name and no such process; so no two pods may have the same name, as those of Jobs
never have. Reading gives way to no lock.
"""

STORE_SCRIPT = r"""set -eu
umask 077
export LC_ALL=C TZ=UTC HOME=/run/store TMPDIR=/backups RESTIC_PROGRESS_FPS=0
export AWS_SHARED_CREDENTIALS_FILE=/run/store/credentials
answer=/run/store/answer errors=/run/store/errors child=
stop() { [ -z "$child" ] || { kill "$child"; wait "$child"; } 2> /dev/null || :; }
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
run() { "$@" & child=$!; wait "$child" || { set -- $?; child=; return "$1"; }; child=; }
printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' \
  "$(cat "$KEY_ID_FILE")" "$(cat "$SECRET_FILE")" > "$AWS_SHARED_CREDENTIALS_FILE"

# Returns when the lock that restic tells of is 30 minutes old, a minute more at most.
stale() {
  age="$(sed -n 's/.*(\([0-9]*\)m[0-9][0-9.]*s ago).*/\1/p' "$errors" | tail -n 1)"
  date -d "@$(($(date +%s) + (31 - ${age:-0}) * 60))" +'%H:%M UTC'
}

# Says what is wrong and what to do, in one sentence.
explain() {
  case "$(cat "$errors")" in
    *'wrong password or no key'*) echo "the backups at $STORE were made with another key:" \
      "put the $KEY_SETTING back that they were made with, or choose another prefix in" \
      "$STORE_SETTING; nothing there was changed" ;;
    *x509:*) echo "the certificate of $STORE is of no authority that is trusted here, or not for" \
      "this host: set caBundle in $STORE_SETTING to the authority's certificate" ;;
    *'bucket does not exist'*|*NoSuchBucket*) echo "there is no bucket for $STORE: make it, or" \
      "correct bucket in $STORE_SETTING" ;;
    *'access key'*|*'Access Key'*|*'request signature'*|*InvalidAccessKeyId*|*SignatureDoesNot*)
      echo "$STORE does not accept the credentials: set $CREDENTIALS_SETTING anew, then update" \
      "the stack" ;;
    *TimeTooSkewed*|*'request time and'*) echo "the clock of this node and that of $STORE differ" \
      "by minutes: set the wrong one, best by NTP" ;;
    *'ccess denied'*|*'ccess Denied'*|*AccessDenied*|*Forbidden*) echo "the credentials" \
      "($CREDENTIALS_SETTING) may not do this at $STORE: allow them to list the bucket and to ask" \
      "where it is, and to read, write and delete objects below the prefix" ;;
    *'o space left'*|*'uota exceeded'*|*QuotaExceeded*|*'nsufficient Storage'*| \
    *InsufficientStorage*|*'Storage Full'*) echo "the bucket of $STORE is full: enlarge it, or" \
      "keep fewer backups" ;;
    *'repository is already locked'*) echo "another backup or restore works at $STORE: wait for" \
      "it, and run this again; if it was killed, a backup after $(stale) removes its lock" ;;
    *'no such host'*|*'dial tcp'*|*'context canceled'*|*'imeout'*) echo "$STORE does not answer" \
      "from here: start it, or correct endpoint or cidr in $STORE_SETTING" ;;
    *) echo "the object store $STORE refused: $(grep -v '^ *$' "$errors" | tail -n 1)" ;;
  esac
}
fail() { explain; exit 1; }
denied() { grep -qiE 'access denied|forbidden' "$errors"; }
refuse() { printf 'refused\n%s\n' "$1"; exit 1; }

# Returns 10 where there is no repository yet, and 11 where a lock is in the way; whatever else is
# wrong ends the script. The store answers the first question, a HEAD, without words: a missing
# bucket looks like a missing file there, and restic would make both. Without a region restic asks
# for it first, and is told.
ask() {
  run timeout 30 restic --no-cache "$@" > "$answer" 2> "$errors" && return
  set -- $?
  if [ "$1" -eq 10 ] || denied; then
    run env -u AWS_DEFAULT_REGION timeout 30 restic --no-cache --no-lock cat config \
      > "$answer" 2> "$errors.words" || { set -- $?; mv -- "$errors.words" "$errors"; }
  fi
  [ "$1" -eq 10 ] || [ "$1" -eq 11 ] || fail
  return "$1"
}
long() { run restic --no-cache --retry-lock 5m "$@" > "$answer" 2> "$errors"; }
id() { sed -n 's/.*"short_id":"\([0-9a-f]*\)".*/\1/p' "$answer"; }

put() {
  cd /backups
  name="$(ls | grep -E "^$PGDATABASE-[0-9]{8}T[0-9]{6}Z\.dump\$" | tail -n 1)"
  # Before all that takes a lock.
  ask unlock || run timeout 30 restic --no-cache init > "$answer" 2> "$errors" || fail
  # Takes and releases a lock: so it is known whether the store lets us write and delete. Where a
  # lock cannot be released, restic says so and ends well.
  ask key list || long key list || fail
  ! denied || fail
  long backup --json --quiet --host "$OWNER" --tag unproven -- "$name" || fail
  made="$(sed -n 's/.*"snapshot_id":"\([0-9a-f]*\)".*/\1/p' "$answer")"
  wanted="$(sha256sum < "$name")"
  run sh -c 'restic --no-cache --retry-lock 5m dump "$1" "/$2" 2> "$3" | sha256sum' - \
    "$made" "$name" "$errors" > "$answer"
  if [ "$(cat "$answer")" != "$wanted" ]; then
    [ ! -s "$errors" ] || explain
    echo "$name cannot be read back from $STORE, so it counts as no backup and no older one was" \
      "removed"
    exit 1
  fi
  long tag --tag unproven --set proven "$made" || fail
  echo "wrote $STORE/$name ($(stat -c %s "$name") bytes), and read it back"
  rm -- "$name"
  # What a run left that was killed a day ago or more; then what is proven and too much.
  long forget --host "$OWNER" --tag unproven --group-by host --keep-within 1d || fail
  long forget --host "$OWNER" --tag proven --group-by host --prune \
    --keep-last "$KEEP" --keep-daily "$KEEP" ${KEEP_DAYS:+--keep-within "${KEEP_DAYS}d"} || fail
  sed -n 's/^remove  *\([0-9]* snapshots\).*/removed \1 by retention/p' "$answer"
}

read_out() { run restic --no-cache "$@" dump "$(id)" "/$name" > "$name.part" 2> "$errors"; }

fetch() {
  cd /backups
  if [ -n "${DUMP:-}" ]; then
    # Another owner's, where this one has none of that name: what a lost stack left, perhaps.
    name="$DUMP"
    set -- snapshots --json --no-lock --tag proven --path "/backups/$name" --latest 1
    ask "$@" --host "$OWNER" || :
    [ -n "$(id)" ] || ask "$@" || :
  else
    ask snapshots --json --no-lock --tag proven --host "$OWNER" --latest 1 --group-by host || :
    name="$(sed -n 's/.*"paths":\["\([^"]*\)"\].*/\1/p' "$answer")"
    name="${name##*/}"
  fi
  [ -n "$(id)" ] || refuse "there is no backup ${DUMP:-yet} at $STORE"
  # Locked, so that nobody removes it meanwhile; if somebody does so now, or was killed doing it,
  # or if the credentials may only read, without: what is missing then fails, and what is read is
  # checked.
  read_out --retry-lock 1m || { { [ $? -eq 11 ] || denied; } && read_out --no-lock; } || fail
  stamp="${name%Z.dump}"
  stamp="$(echo "${stamp##*-}" | sed 's/^\(........\)T\(....\)\(..\)$/\1\2.\3/')"
  touch -t "$stamp" "$name.part" 2> /dev/null || :
  mv -- "$name.part" "$name"
}

case "$1" in
  put) put ;;
  fetch) fetch ;;
  put-and-fetch) put; DUMP="$name"; fetch ;;
  list) echo '[]' > "$answer"; ask snapshots --json --no-lock || echo '[]' > "$answer"
    printf 'snapshots|'; cat "$answer" ;;
  check) ask cat config || :; ! denied || fail; echo "$STORE answers" ;;
esac
"""
