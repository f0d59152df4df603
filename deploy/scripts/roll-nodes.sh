#!/usr/bin/env bash
# Replaces the three nodes of the limiter by ones of the image there is now, one after the other. Counters are in Redis, so nobody's limit
# begins anew; a node that stops is not ready first, and the application asks the others.
source "$(dirname "$0")/stack.sh"
for node in ratelimiter-1 ratelimiter-2 ratelimiter-3; do
  stack up --detach --no-deps --force-recreate "$node" 2>&1 | grep -iE 'error|failed' >&2 || true
  wait_healthy "$(instances "$node")" || die "$node does not become healthy: docker compose logs $node. The nodes after it are as they were."
  say "replaced $node"
done
