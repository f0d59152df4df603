#!/bin/sh
# Says in one line each which secret is missing, empty, short, or the one of development. Exits 1 if any is.
# In production this runs in a container before everything else; on the host: deploy/scripts/check-secrets.sh DIRECTORY
directory=${1:-/run/secrets}
status=0

complain() { # NAME PROBLEM
  echo "secret $1 $2" >&2
  status=1
}

for name in db_password redis_password admin_token api_keys grafana_password; do
  file=$directory/$name
  if [ ! -e "$file" ]; then
    complain "$name" "is missing: run 'make secrets', or write it to $file."
  elif [ ! -r "$file" ]; then
    complain "$name" "cannot be read by user $(id -u): chmod 0444 $file (its folder can be closed to others)."
  elif [ ! -s "$file" ]; then
    complain "$name" "is empty: write it to $file."
  elif grep -q 'development-only' "$file"; then
    complain "$name" "is the one of development, which everybody knows: run 'make secrets', or write another to $file."
  elif [ "$name" = api_keys ]; then
    grep -Eqv '^[a-z0-9_-]{1,64}:[^ ,]{16,128}$' "$file" && complain "$name" "must have lines user:key with keys of 16 to 128 characters, and no other lines."
  elif ! grep -Eqx '[A-Za-z0-9._~-]{16,128}' "$file" || [ "$(wc -l <"$file")" -gt 1 ]; then
    complain "$name" "must be one line of 16 to 128 characters of A-Z a-z 0-9 . _ ~ -."
  fi
done
exit $status
