#!/usr/bin/env bash
# The instances of the application, and what the balancer thinks of them.
source "$(dirname "$0")/stack.sh"
stack ps --format 'table {{.Name}}\t{{.Status}}' api
if [ "${LB:-haproxy}" = nginx ]; then
  stack exec -T lb wget -q -O - http://127.0.0.1:8404/stats
else
  # Columns: 2 name, 5 current sessions, 18 status, 8 requests so far.
  stack exec -T lb wget -q -O - 'http://127.0.0.1:8404/stats;csv' |
    awk -F, '$1 == "api" && $2 ~ /^api-/ && $18 !~ /MAINT/ { printf "balancer: %-8s %-10s now %s, so far %s\n", $2, $18, $5, $8 }'
fi
