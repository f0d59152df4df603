#!/usr/bin/env bash
# Makes every secret of production that is not there yet, at random. Nothing that exists is changed.
#   deploy/scripts/make-secrets.sh [DIRECTORY]     default: ./secrets
set -euo pipefail
directory=${1:-secrets}
umask 077
mkdir -p "$directory"

# 32 characters of 62: 190 bits.
random() { LC_ALL=C tr -dc 'A-Za-z0-9' </dev/urandom | head -c 32 || true; }

for name in db_password redis_password admin_token grafana_password api_keys; do
  file=$directory/$name
  [ -e "$file" ] && continue
  case $name in
    api_keys) for user in alice bob; do printf '%s:%s\n' "$user" "$(random)"; done >"$file" ;;
    *) random >"$file" ;;
  esac
  # Docker mounts a secret with the owner and mode that it has on the host, and each service runs as another user. The folder keeps people out.
  chmod 0444 "$file"
  echo "made $file"
done
