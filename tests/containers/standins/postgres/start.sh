#!/bin/sh
# Makes the data folder once, with the password that POSTGRES_PASSWORD_FILE names, and serves: start.sh [server options]
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  # shellcheck disable=SC2086 # it holds several options
  initdb --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE" ${POSTGRES_INITDB_ARGS:-}
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
fi
exec postgres -c 'listen_addresses=*' -c unix_socket_directories=/var/run/postgresql "$@"
