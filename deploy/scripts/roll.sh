#!/usr/bin/env bash
# Replaces every instance of the application by one of the image there is now, without a failed request.
#
# `up` would take all old instances away before the new ones are ready. So: start as many new ones beside them, wait until these are healthy
# and the balancer has noticed, then let the old ones drain and go, one after the other. If a new one does not become healthy, the new ones
# go and the old ones stay.
source "$(dirname "$0")/stack.sh"
mapfile -t old < <(instances)
count=${#old[@]}
[ "$count" -gt 0 ] || die "The application does not run. Start it with: make scale-test"
[ $((2 * count)) -le 16 ] || die "The balancer has room for 16 instances; to roll $count, twice as many must fit. Scale down to 8 first."

say "starting $count new instances beside $count old ones"
stack up --detach --no-deps --no-recreate --scale "api=$((2 * count))" api
new=()
for id in $(instances); do [[ " ${old[*]} " == *" $id "* ]] || new+=("$id"); done
if ! wait_healthy "${new[@]}"; then
  docker logs --tail 20 "${new[0]}" >&2 || true
  docker rm --force "${new[@]}" >/dev/null
  die "A new instance did not become healthy within a minute. The new ones are gone, the old ones serve on."
fi
balancer_notices
for id in "${old[@]}"; do
  docker stop --time 10 "$id" >/dev/null
  docker rm "$id" >/dev/null
  say "replaced ${id:0:12}"
done
say "$count instances, all new"
