#!/bin/sh
# Makes the database cluster on the first start, then becomes the server.
set -eu

fail() { echo "docker-entrypoint: $1" >&2; exit 1; }

if [ "${1:-postgres}" != postgres ]; then exec "$@"; fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
	user=${POSTGRES_USER:-postgres}
	database=${POSTGRES_DB:-$user}
	password=${POSTGRES_PASSWORD_FILE:-}
	if [ -z "$password" ]; then
		[ -n "${POSTGRES_PASSWORD:-}" ] || fail "set POSTGRES_PASSWORD_FILE or POSTGRES_PASSWORD"
		password=$(mktemp)
		trap 'rm -f "$password"' EXIT
		printf '%s\n' "$POSTGRES_PASSWORD" >"$password"
	fi
	[ -s "$password" ] || fail "the password file $password is missing or empty"
	# A start that was cut short must not leave a half-made directory that looks complete.
	staging="$PGDATA.initdb"
	rm -rf "$staging"
	mkdir -p "$PGDATA"
	# shellcheck disable=SC2086 # POSTGRES_INITDB_ARGS is a list of words, as in the official image
	initdb --pgdata="$staging" --username="$user" --pwfile="$password" --encoding=UTF8 \
		--auth-local=trust --auth-host="${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" ${POSTGRES_INITDB_ARGS:-}
	printf 'host all all all %s\n' "${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$staging/pg_hba.conf"
	pg_ctl --pgdata="$staging" --options="-c listen_addresses= -c unix_socket_directories=/tmp" --wait start
	psql_socket() { psql --host=/tmp --username="$user" --no-psqlrc --set=ON_ERROR_STOP=1 "$@"; }
	if [ "$database" != postgres ]; then
		psql_socket --dbname=postgres --set=database="$database" <<-'SQL'
			CREATE DATABASE :"database";
		SQL
	fi
	# What the official image's scripts may rely on: plain psql reaches this server, by these names.
	export PGHOST=/tmp POSTGRES_USER="$user" POSTGRES_DB="$database"
	for file in /docker-entrypoint-initdb.d/*; do
		case "$file" in
			*.sql) psql_socket --dbname="$database" --file="$file" ;;
			*.sh) sh "$file" ;;
		esac
	done
	unset PGHOST
	pg_ctl --pgdata="$staging" --mode=fast --wait stop
	chmod 0700 "$staging"
	rmdir "$PGDATA" || fail "$PGDATA is not empty but holds no database; move its files away"
	mv "$staging" "$PGDATA"
fi
exec "$@" -c listen_addresses='*'
