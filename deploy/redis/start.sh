#!/bin/sh
# Starts Redis with redis.conf and the password from the mounted secret. Both go in by standard input: so the password is in no file of the
# container, in no environment and in no list of processes.
set -eu
password=$(cat /run/secrets/redis_password)
case $password in
  '' | *[!A-Za-z0-9._~-]*)
    echo "redis: the secret redis_password must be 1 or more of A-Z a-z 0-9 . _ ~ -" >&2
    exit 1
    ;;
esac
exec redis-server - "$@" <<CONFIGURATION
include /usr/local/etc/redis/redis.conf
requirepass $password
CONFIGURATION
