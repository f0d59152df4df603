#!/usr/bin/env bash
# Runs N instances of the application, while requests flow. Instances that are there already are left alone; those that go drain first.
#   deploy/scripts/scale.sh N
source "$(dirname "$0")/stack.sh"
count=${1:-}
[[ $count =~ ^([1-9]|1[0-6])$ ]] || die "usage: $0 N, a number of instances from 1 to 16 (the balancer has room for 16)"
[ -n "$(instances lb)" ] || die "The stack does not run. Start it with: make scale-test"

before=$(instances | wc -l)
API_REPLICAS=$count stack up --detach --no-deps --no-recreate --scale "api=$count" api
mapfile -t ids < <(instances)
wait_healthy "${ids[@]}" || die "An instance does not become healthy: docker compose logs api"
[ "$count" -le "$before" ] || balancer_notices
say "$before -> ${#ids[@]} instances"
