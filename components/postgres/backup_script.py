"""The shell script that writes one backup and keeps the volume in order.

It removes only files named exactly as it names them, `<database>-<stamp>.dump`, and its own
`.part` files; whatever else lies on the volume is somebody else's. A `.part` file is locked while
it is written, so one that nobody locks was left by a run that was killed. pg_dump runs in the
background because dash handles a signal only between foreground commands: as process 1 of its
container the shell would otherwise not stop before it is killed.
"""

# A new pod's connections may be refused until the network plugin knows its address.
_BEGIN = r"""set -eu
export LC_ALL=C PGPASSWORD="$(cat "$PASSWORD_FILE")"
child= part= errors="$(mktemp)"
stop() {
  [ -z "$child" ] || { kill "$child"; wait "$child"; } 2> /dev/null || :
  rm -f -- "$part" "$errors"
}
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
run() { "$@" & child=$!; wait "$child" || { set -- $?; child=; return "$1"; }; child=; }

for second in $(seq 30); do pg_isready --quiet && break; sleep 1; done
"""

BACKUP_SCRIPT = (
    _BEGIN
    + r"""cd /backups
named="$PGDATABASE-[0-9]{8}T[0-9]{6}Z\.dump"
mine() { find . -maxdepth 1 -type f -regextype posix-extended -regex "\./$named" "$@"; }
parts() { find . -maxdepth 1 -type f -regextype posix-extended -regex "\./$named\.part" "$@"; }
backups() { mine -printf '%f\n' | sort -r; }
readable() { pg_restore --list "$1" > /dev/null 2>&1; }
day() { echo "${1%T*}"; }
free() { df -B1 --output=avail . | tail -n 1; }

# Removes one backup: an unreadable one, or the oldest with a later one of its day, or the oldest;
# never the newest that can be read.
make_room() {
  newest= oldest= earlier= unreadable= later=
  for file in $(backups); do
    if ! readable "$file"; then unreadable="$file"; continue; fi
    if [ -z "$newest" ]; then newest="$file"
    elif [ "$(day "$file")" = "$(day "$later")" ]; then earlier="$file"
    else oldest="$file"
    fi
    later="$file"
  done
  unwanted="${unreadable:-${earlier:-$oldest}}"
  [ -n "$newest" ] && [ -n "$unwanted" ] || return 1
  echo "too little room: removing $unwanted"
  rm -- "$unwanted"
}

parts -mmin +1 -exec flock -n {} rm -v -- {} \;
name="${NAME:-$PGDATABASE-$(date -u +%Y%m%dT%H%M%SZ).dump}"
part="$name.part"
exec 9>> "$part"
flock -n 9 || { part=; echo "another backup writes $name right now"; exit 1; }

# The next backup is about as large as the last one.
last="$(backups | head -n 1)"
if [ -n "$last" ]; then
  needed=$(($(stat -c %s "$last") * 6 / 5))
  while [ "$(free)" -lt "$needed" ] && pg_isready --quiet && make_room; do :; done
fi
# Read back as a whole: only what can be restored counts.
until {
  run pg_dump --format=custom ${SNAPSHOT:+"--snapshot=$SNAPSHOT"} --file="$part" &&
    run pg_restore --file=/dev/null "$part"
} 2> "$errors"; do
  cat "$errors"
  grep -qE 'No space left on device|Disk quota exceeded' "$errors" || exit 1
  make_room || { echo 'the backup volume is full with one backup: enlarge it'; exit 1; }
done
cat "$errors"
mv -- "$part" "$name"
part=
echo "wrote /backups/$name ($(stat -c %s "$name") bytes)"

# The newest, and the newest of each of as many days: a day of many releases, each with a backup
# before it, pushes no earlier day out.
kept=0 days=0 last=
for file in $(backups); do
  of="$(day "$file")"
  if [ "$kept" -ge "$KEEP" ] && { [ "$of" = "$last" ] || [ "$days" -ge "$KEEP" ]; }; then
    rm -v -- "$file"
  elif readable "$file"; then
    kept=$((kept + 1))
    [ "$of" = "$last" ] || { last="$of"; days=$((days + 1)); }
  fi
done
"""
)
"""Writes one backup to the volume, and keeps the volume in order."""

DUMP_SCRIPT = (
    _BEGIN
    + r"""cd /backups
name="${NAME:-$PGDATABASE-$(date -u +%Y%m%dT%H%M%SZ).dump}"
part="$name.part"
# Read back as a whole: only what can be restored goes any further.
{
  run pg_dump --format=custom ${SNAPSHOT:+"--snapshot=$SNAPSHOT"} --file="$part" &&
    run pg_restore --file=/dev/null "$part"
} 2> "$errors" || {
  cat "$errors"
  ! grep -qE 'No space left on device|Disk quota exceeded' "$errors" ||
    echo "the dump has no room on its way to the store: enlarge $ROOM_SETTING"
  exit 1
}
cat "$errors"
mv -- "$part" "$name"
part=
"""
)
"""Writes one dump to an empty folder, from where it goes to an object store."""
