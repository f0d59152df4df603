#!/usr/bin/env bash
# Puts a backup back: everything in the database is replaced by what the file has, all or nothing.
#   deploy/scripts/restore.sh FILE
source "$(dirname "$0")/stack.sh"
file=${1:-}
[ -s "$file" ] || die "usage: make restore FILE=backups/NAME.dump; '$file' is no such file"
# shellcheck disable=SC2016
stack exec -T db sh -c 'pg_restore --list >/dev/null' <"$file" || die "'$file' is no backup of PostgreSQL. Nothing was changed."
# shellcheck disable=SC2016
stack exec -T db sh -c 'pg_restore --clean --if-exists --single-transaction --exit-on-error --no-owner --username="$POSTGRES_USER" --dbname="$POSTGRES_DB"' <"$file" ||
  die "The restore failed, and the database is as it was."
say "restored $file"
