#!/usr/bin/env bash
# Measures what limiting costs an ASP.NET Core application: the same one without limits, with ASP.NET's own limiter, with Weir in memory, and with Weir
# through a node. Requests/s at saturation; and latency with one connection, where what a node adds is compared with a bare HTTP round trip to it.
#   bench/aspnetcore.sh [--rounds N] [--seconds N] [--connections N] [--keys N] [--port N] [--markdown FILE]
# Rounds are interleaved, and ratios are taken within the round. Closed loop; the load generator and the servers share the machine's cores: read the
# ratios, not the absolute numbers. Needs the .NET 10 SDK and wrk. Takes about rounds x seconds x 9 plus a minute. ARTIFACTS=DIR builds into DIR.
set -euo pipefail
cd "$(dirname "$0")/.."
given="$*"

rounds=5 seconds=5 connections=64 keys=10000 port=8130 markdown=''
fail() { printf 'aspnetcore.sh: %s\n' "$*" >&2; exit 2; }
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || fail "$1 needs a value"
  case $1 in
    --rounds) rounds=$2 ;;
    --seconds) seconds=$2 ;;
    --connections) connections=$2 ;;
    --keys) keys=$2 ;;
    --port) port=$2 ;;
    --markdown) markdown=$2 ;;
    *) fail "$1 is not an option; see the head of this file" ;;
  esac
  shift 2
done
for number in "$rounds" "$seconds" "$connections" "$keys" "$port"; do
  [[ $number =~ ^[1-9][0-9]*$ ]] || fail "'$number' must be a whole number above 0"
done
command -v wrk >/dev/null || fail "wrk is missing: install it (apt-get install wrk) and run this again"

work=$(mktemp -d)
started=()
stop() {
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap stop EXIT
# Set, so that a signal waits for the command that runs: what it still writes is then swept away too.
trap 'exit 130' INT TERM

printf 'building\n' >&2
publish() { # PROJECT FOLDER
  dotnet publish "$1" -c Release -o "$work/$2" -v quiet --nologo ${ARTIFACTS:+-p:ArtifactsPath="$ARTIFACTS"} >"$work/build.log" 2>&1 || { cat "$work/build.log" >&2; fail "$1 does not build"; }
}
publish src/Weir.Cli weir
publish bench/EmptyEndpoint empty
publish bench/LimitedApp app

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
declare -A pid_of port_of
next=$port
start() { # NAME COMMAND..., where PORT stands for its port
  local name=$1 at=$next left=100
  shift
  ! listens "$at" || fail "port $at is in use; choose others with --port"
  "${@//PORT/$at}" >"$work/$name.log" 2>&1 &
  started+=($!)
  pid_of[$name]=$! port_of[$name]=$at next=$((next + 1))
  until listens "$at"; do
    if ! kill -0 "${pid_of[$name]}" 2>/dev/null || [ $((left -= 1)) = 0 ]; then cat "$work/$name.log" >&2; fail "$name did not start"; fi
    sleep 0.1
  done
}
# Only what the command line says: no setting of the caller's reaches the node.
for name in $(compgen -e RATELIMITER_ || true); do unset "$name"; done
start empty dotnet "$work/empty/EmptyEndpoint.dll" PORT
start node dotnet "$work/weir/weir.dll" serve --listen-address 127.0.0.1 --log-level warn --node-port PORT
for way in none ratelimiter memory memory-bare; do
  start "$way" dotnet "$work/app/LimitedApp.dll" "$way" PORT
done
for way in get nodes; do
  start "$way" dotnet "$work/app/LimitedApp.dll" "$way" PORT "http://127.0.0.1:${port_of[node]}"
done

ticks_per_second=$(getconf CLK_TCK)
ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/${pid_of[$1]}/stat"; }
# Prints: requests/s, p50 ms, p99 ms, processor microseconds per request, share of answers of 400 and above.
measure() { # SERVER CONNECTIONS SECONDS
  local before after result
  before=$(ticks "$1")
  result=$(wrk -t1 -c"$2" -d"$3s" -s bench/aspnetcore.lua "http://127.0.0.1:${port_of[$1]}" -- "$keys" | grep '^RESULT') || fail "wrk failed on $1"
  after=$(ticks "$1")
  awk -v ticks=$((after - before)) -v hertz="$ticks_per_second" '{
    if ($7 > 0) print "aspnetcore.sh: " $7 " socket errors" > "/dev/stderr"
    print $2 / $3, $4, $5, ticks * 1e6 / hertz / $2, $6 / $2 }' <<<"$result"
}

busy=(none ratelimiter memory memory-bare nodes)
alone=(empty none get nodes)
for server in empty get "${busy[@]}"; do
  printf 'warming up: %s\n' "$server" >&2
  measure "$server" "$connections" 3 >/dev/null
done
run() { # ROUND LOAD CONNECTIONS SERVERS...
  local round=$1 load=$2 with=$3 count order
  shift 3
  # Whoever comes later finds the machine as the others left it, so they take turns.
  count=$#
  order=("${@:$((round % count + 1))}" "${@:1:$((round % count))}")
  for server in "${order[@]}"; do
    figures=$(measure "$server" "$with" "$seconds")
    printf 'round %s of %s: %-6s %-12s %s\n' "$round" "$rounds" "$load" "$server" "$figures" >&2
    printf '%s %s %s %s\n' "$round" "$load" "$server" "$figures" >>"$work/figures"
  done
}
for ((round = 1; round <= rounds; round++)); do
  run "$round" busy "$connections" "${busy[@]}"
  run "$round" alone 1 "${alone[@]}"
done

figures_of() { awk -v l="$1" -v s="$2" -v f="$3" '$2 == l && $3 == s { print $1, $f }' "$work/figures" | sort -n | cut -d' ' -f2; }
median() { sort -g | awk '{ v[NR] = $1 } END { m = int((NR + 1) / 2); print NR % 2 ? v[m] : (v[m] + v[m + 1]) / 2 }'; }
ratio() { paste <(figures_of busy "$1" 4) <(figures_of busy "$2" 4) | awk '{ print $1 / $2 }' | median; }
# How many times the second latency goes into the first. A latency is the p50 of a server, or by how much it is above that of another one.
added() { # 'SERVER [ABOVE]' 'SERVER [ABOVE]'
  paste <(above $1) <(above $2) | awk '{ print $1 / $2 }' | median | awk '{ printf "%.2f", $1 }'
}
above() { # SERVER [ABOVE]
  paste <(figures_of alone "$1" 5) <([ -z "${2:-}" ] || figures_of alone "$2" 5) | awk '{ print $1 - $2 }'
}
title() {
  case $1 in
    none) echo 'no limits' ;;
    ratelimiter) echo '`UseRateLimiter`, token bucket per key' ;;
    memory) echo '**`UseWeir`, memory**' ;;
    memory-bare) echo '**`UseWeir`, memory, without headers**' ;;
    nodes) echo '**`UseWeir`, through a node**' ;;
    empty) echo 'an empty endpoint' ;;
    get) echo 'no limits, after a `GET /health` to the node' ;;
  esac
}
report() {
  printf -- '- Machine: %s, %s processors; load average %s at the end\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)" "$(nproc)" "$(cut -d' ' -f1 /proc/loadavg)"
  printf -- '- Runtime: .NET %s; %s\n' "$(dotnet --list-runtimes | awk '/AspNetCore/ { v = $2 } END { print v }')" "$(wrk -v 2>&1 | awk '/^wrk/ { print $1, $2 }')"
  printf -- '- Commit: %s\n' "$(git describe --always --dirty --abbrev=10 2>/dev/null || echo unknown)"
  printf -- '- Command: `bench/aspnetcore.sh%s`\n\n' "$(sed 's/ *--markdown [^ ]*//; s/^\(.\)/ \1/' <<<"$given")"
  printf 'Medians of %s rounds of %s s with %s connections and %s keys, closed loop, load generator on the same cores. Ratios: median of the ratios within each round.\n\n' "$rounds" "$seconds" "$connections" "$keys"
  printf '| the application with | requests/s | ratio to no limits | ratio to `UseRateLimiter` | p50 ms | p99 ms | CPU µs/request | 4xx |\n|---|---:|---:|---:|---:|---:|---:|---:|\n'
  for server in "${busy[@]}"; do
    printf '| %s | %.0f | %.2f | %.2f | %.2f | %.2f | %.1f | %.1f %% |\n' "$(title "$server")" "$(figures_of busy "$server" 4 | median)" \
      "$(ratio "$server" none)" "$(ratio "$server" ratelimiter)" "$(figures_of busy "$server" 5 | median)" "$(figures_of busy "$server" 6 | median)" \
      "$(figures_of busy "$server" 7 | median)" "$(figures_of busy "$server" 8 | median | awk '{ print $1 * 100 }')"
  done
  printf '\nOne connection, one request at a time. A node adds **%s** times what a bare `GET` of its own to the node adds to the application, and **%s** round trips from the load generator to an empty endpoint.\n\n' \
    "$(added 'nodes none' 'get none')" "$(added 'nodes none' 'empty')"
  printf '| one request to | p50 ms | p99 ms |\n|---|---:|---:|\n'
  for server in "${alone[@]}"; do
    printf '| %s | %.3f | %.3f |\n' "$(title "$server")" "$(figures_of alone "$server" 5 | median)" "$(figures_of alone "$server" 6 | median)"
  done
}
report | tee "$work/report"
[ -z "$markdown" ] || cp "$work/report" "$markdown"
