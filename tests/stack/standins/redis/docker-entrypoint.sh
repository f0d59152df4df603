#!/bin/sh
# What the official image's entrypoint does: a bare option or a *.conf means redis-server, and root becomes redis.
set -e
case $1 in -* | *.conf) set -- redis-server "$@" ;; esac
if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then
  find . \! -user redis -exec chown redis '{}' +
  exec setpriv --reuid redis --regid redis --init-groups "$0" "$@"
fi
[ "$(umask)" = 0022 ] && umask 0077
exec "$@"
