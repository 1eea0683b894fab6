"""What the scripts of all drills have in common: how they begin, look at the disk, and read rows.

Long steps run in the background (`run`), because dash handles a signal only between foreground
commands. What `fail` says is a verdict on the backup; what `refuse` says is none.
"""

BEGIN = r"""set -eu
export LC_ALL=C
child= server= work="$(mktemp -d "$SCRATCH/drill.XXXXXX")"
stop() {
  [ -z "$child" ] || { kill "$child"; wait "$child"; } 2> /dev/null || :
  [ -z "$server" ] || pg_ctl stop --silent --mode=immediate --pgdata="$work/data" 2> /dev/null || :
  rm -rf -- "$work"
}
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
run() { "$@" & child=$!; wait "$child" || { set -- $?; child=; return "$1"; }; child=; }
fail() { echo "$1"; exit 1; }
refuse() { echo refused; fail "$1"; }

"""
"""Makes the folder `$work`, which goes with the script's end, as does the server in it."""
DISK = r"""df -B1 --output=size,avail "$work" | tail -n 1 > "$work/disk"
read -r disk free < "$work/disk"
"""
"""Reads `$disk`, the bytes of the node's disk, and `$free`. One that is nine tenths full is cleared
of pods (the kubelet's nodefs.available), so a tenth is to stay free."""
READ_ROWS = (
    r"""SELECT 'SELECT count(*) || '' tables, '' || sum(n) || '' rows'' FROM (' """
    r"""|| string_agg(
  format('SELECT count(t::text) AS n FROM %I.%I t', schemaname, tablename), ' UNION ALL ') || ') s'
FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
AND has_table_privilege(format('%I.%I', schemaname, tablename), 'SELECT') \gexec
"""
)
"""SQL that counts tables and rows. A row as text is all of it, also what is stored apart."""
