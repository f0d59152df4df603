#!/usr/bin/env bash
# 1, 3, 5, 2 and 1 instances, with load at each step and while the number changes.
#   deploy/scripts/autoscale-demo.sh REQUESTS-PER-SECOND
source "$(dirname "$0")/stack.sh"
rate=${1:-100}
failed=0
[ -n "$(instances lb)" ] || die "The stack does not run. Start it with: make scale-test"
for count in 1 3 5 2 1; do
  say "== $count instances, $rate requests/s"
  deploy/scripts/load-test.sh "$rate" 20 >"/tmp/weir-demo-$$" 2>&1 &
  load=$!
  deploy/scripts/scale.sh "$count"
  wait "$load" || failed=1
  cat "/tmp/weir-demo-$$"
done
rm -f "/tmp/weir-demo-$$"
[ "$failed" -eq 0 ] && say "no request failed" || die "requests failed; see above"
