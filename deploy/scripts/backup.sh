#!/usr/bin/env bash
# Writes the database into backups/ in PostgreSQL's custom format, while everything runs on: a dump sees one instant.
source "$(dirname "$0")/stack.sh"
mkdir -p backups
file=backups/$(date -u +%Y%m%dT%H%M%SZ).dump
# Under another name first: a dump that broke off shall never look like one.
# shellcheck disable=SC2016
stack exec -T db sh -c 'pg_dump --format=custom --username="$POSTGRES_USER" "$POSTGRES_DB"' >"$file.part" || { rm -f "$file.part"; die "The backup failed; nothing was written."; }
mv "$file.part" "$file"
say "wrote $file ($(du -h "$file" | cut -f1))"
