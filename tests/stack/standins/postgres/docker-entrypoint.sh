#!/bin/bash
# What the official image's entrypoint does, as far as a Compose file relies on it: secrets from files, an empty data
# directory initialised once with user, database and the scripts of /docker-entrypoint-initdb.d, and root becoming postgres.
set -euo pipefail

from_file() { # NAME [DEFAULT]: NAME, or the text of the file NAME_FILE names
  local file=$1_FILE
  if [ -n "${!1:-}" ] && [ -n "${!file:-}" ]; then echo >&2 "error: both $1 and $file are set (but are exclusive)"; exit 1; fi
  local value=${2:-}
  if [ -n "${!1:-}" ]; then value=${!1}; elif [ -n "${!file:-}" ]; then value=$(<"${!file}"); fi
  export "$1=$value"
  unset "$file"
}

run_scripts() {
  local script
  for script in /docker-entrypoint-initdb.d/*; do
    case $script in
      *.sh) echo "running $script"; if [ -x "$script" ]; then "$script"; else . "$script"; fi ;;
      *.sql) echo "running $script"; query <"$script" ;;
      *.sql.gz) echo "running $script"; gunzip -c "$script" | query ;;
    esac
  done
}

query() { PGHOST= PGHOSTADDR= psql -v ON_ERROR_STOP=1 --no-password --no-psqlrc --username "$POSTGRES_USER" --dbname "${1:-$POSTGRES_DB}"; }

initialise() {
  from_file POSTGRES_PASSWORD
  from_file POSTGRES_USER postgres
  from_file POSTGRES_DB "$POSTGRES_USER"
  from_file POSTGRES_INITDB_ARGS
  if [ -z "$POSTGRES_PASSWORD" ] && [ "${POSTGRES_HOST_AUTH_METHOD:-}" != trust ]; then
    echo >&2 "Error: Database is uninitialized and superuser password is not specified."
    exit 1
  fi
  # shellcheck disable=SC2086 # several arguments
  initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") -D "$PGDATA" $POSTGRES_INITDB_ARGS
  local method=${POSTGRES_HOST_AUTH_METHOD:-$(postgres -C password_encryption -D "$PGDATA")}
  printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
  # Not reachable from outside until it is complete, so a health check over TCP says "not yet".
  PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -o "-c listen_addresses= -p 5432" -w start
  if [ "$POSTGRES_DB" != postgres ]; then query postgres <<<"CREATE DATABASE \"$POSTGRES_DB\";"; fi
  export PGPASSWORD=$POSTGRES_PASSWORD
  run_scripts
  unset PGPASSWORD
  PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -m fast -w stop
  echo "PostgreSQL init process complete; ready for start up."
}

if [ "${1:0:1}" = - ]; then set -- postgres "$@"; fi
if [ "$1" = postgres ]; then
  mkdir -p "$PGDATA"
  if [ "$(id -u)" = 0 ]; then
    chmod 700 "$PGDATA"
    find "$PGDATA" \! -user postgres -exec chown postgres '{}' +
    find /var/run/postgresql \! -user postgres -exec chown postgres '{}' +
    exec setpriv --reuid postgres --regid postgres --init-groups "$BASH_SOURCE" "$@"
  fi
  chmod 700 "$PGDATA" || true
  if [ ! -s "$PGDATA/PG_VERSION" ]; then initialise; else echo "PostgreSQL Database directory appears to contain a database; Skipping initialization"; fi
fi
exec "$@"
