#!/usr/bin/env bash
# Sends requests through the balancer to the application, from inside the stack; fails when one fails.
#   deploy/scripts/load-test.sh REQUESTS-PER-SECOND SECONDS
source "$(dirname "$0")/stack.sh"
[ -n "$(instances lb)" ] || die "The stack does not run. Start it with: make scale-test"
stack run --rm --no-deps --name "weir-load-$$" -e TARGETS=http://lb:8080 -e RPS="${1:-100}" -e DURATION="${2:-20}" -e BURST_MULTIPLIER=1 loadgen \
  load --path /load-test --max-failure-rate 0
