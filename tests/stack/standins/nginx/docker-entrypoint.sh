#!/bin/sh
# What the official image's entrypoint does: the scripts of /docker-entrypoint.d, then templates through envsubst with the
# variables that are set, then the command.
set -e
templates=${NGINX_ENVSUBST_TEMPLATE_DIR:-/etc/nginx/templates}
suffix=${NGINX_ENVSUBST_TEMPLATE_SUFFIX:-.template}
output=${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}
case $1 in
  nginx | nginx-debug)
    for script in /docker-entrypoint.d/*; do
      case $script in
        *.envsh) [ -x "$script" ] && . "$script" ;;
        *.sh) [ -x "$script" ] && "$script" ;;
      esac
    done
    names=$(env | cut -d= -f1 | grep -E "${NGINX_ENVSUBST_FILTER:-}" | sed 's/.*/${&}/' | tr '\n' ' ')
    if [ -d "$templates" ]; then
      (cd "$templates" && find . -follow -type f -name "*$suffix" -print) | while read -r template; do
        target=$output/${template%"$suffix"}
        mkdir -p "$(dirname "$target")"
        envsubst "$names" <"$templates/$template" >"$target"
      done
    fi
    ;;
esac
exec "$@"
