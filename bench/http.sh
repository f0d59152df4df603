#!/usr/bin/env bash
# Measures a node with the memory engine against an empty Kestrel endpoint: requests/s, latency, and processor time per request of the server.
#   bench/http.sh [--rounds N] [--seconds N] [--connections N] [--keys N] [--only TRAFFIC] [--port N] [--markdown FILE]
# Rounds are interleaved: in each, every traffic goes to the empty endpoint and to the node, one after the other, and ratios are taken within the round.
# Closed loop, at saturation. The load generator and the servers share the machine's cores: read the ratios, not the absolute numbers.
# Needs the .NET 10 SDK and wrk. Takes about rounds x seconds x 8, plus half a minute. ARTIFACTS=DIR builds into DIR instead of artifacts/.
set -euo pipefail
cd "$(dirname "$0")/.."
given="$*"

rounds=5 seconds=5 connections=64 keys=100000 only='' port=8110 markdown=''
fail() { printf 'http.sh: %s\n' "$*" >&2; exit 2; }
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || fail "$1 needs a value"
  case $1 in
    --rounds) rounds=$2 ;;
    --seconds) seconds=$2 ;;
    --connections) connections=$2 ;;
    --keys) keys=$2 ;;
    --only) only=$2 ;;
    --port) port=$2 ;;
    --markdown) markdown=$2 ;;
    *) fail "$1 is not an option; see the head of this file" ;;
  esac
  shift 2
done
for number in "$rounds" "$seconds" "$connections" "$keys" "$port"; do
  [[ $number =~ ^[1-9][0-9]*$ ]] || fail "'$number' must be a whole number above 0"
done
case $only in '' | get | refused | post | batch) ;; *) fail "--only $only must be get, refused, post or batch" ;; esac

if ! command -v wrk >/dev/null; then
  [ "$(id -u)" = 0 ] && apt-get install -y -qq --no-install-recommends wrk >/dev/null 2>&1 || fail "wrk is missing: install it (apt-get install wrk) and run this again"
fi

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

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
declare -A pid_of port_of
start() { # NAME PORT COMMAND...
  local name=$1 at=$2 left=100
  shift 2
  ! listens "$at" || fail "port $at is in use; choose others with --port"
  "$@" >"$work/$name.log" 2>&1 &
  started+=($!)
  pid_of[$name]=$! port_of[$name]=$at
  until listens "$at"; do
    if ! kill -0 "${pid_of[$name]}" 2>/dev/null || [ $((left -= 1)) = 0 ]; then cat "$work/$name.log" >&2; fail "$name did not start"; fi
    sleep 0.1
  done
}
# Only what the command line says: no setting of the caller's reaches the nodes.
for name in $(compgen -e RATELIMITER_ || true); do unset "$name"; done
serve=(dotnet "$work/weir/weir.dll" serve --listen-address 127.0.0.1 --log-level warn)
start empty "$port" dotnet "$work/empty/EmptyEndpoint.dll" "$port"
start wide $((port + 1)) "${serve[@]}" --node-port $((port + 1)) --default-limit 1000
start spent $((port + 2)) "${serve[@]}" --node-port $((port + 2)) --default-limit 1 --default-window-ms 3600000

# traffic: node, requests, keys, decisions per request, title. Every key of the refused traffic is spent by the warm-up.
traffics=(
  "get     wide  get   $keys 1   GET /rate-limit/{key}, allowed"
  "refused spent get   1000  1   GET /rate-limit/{key}, refused"
  "post    wide  post  $keys 1   POST /check, one key, allowed"
  "batch   wide  batch $keys 100 POST /check, 100 keys"
)

ticks_per_second=$(getconf CLK_TCK)
ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/${pid_of[$1]}/stat"; }
load() { # SERVER REQUESTS KEYS SECONDS
  wrk -t1 -c"$connections" -d"$4s" -s bench/http.lua "http://127.0.0.1:${port_of[$1]}" -- "$2" "$3" | grep '^RESULT' || fail "wrk failed on $1"
}
# Prints: requests/s, p50 ms, p99 ms, processor microseconds per request, share of answers of 400 and above.
measure() { # SERVER REQUESTS KEYS
  local before after result
  before=$(ticks "$1")
  result=$(load "$1" "$2" "$3" "$seconds")
  after=$(ticks "$1")
  awk -v ticks=$((after - before)) -v hertz="$ticks_per_second" '{
    if ($7 > 0) print "http.sh: " $7 " socket errors" > "/dev/stderr"
    print $2 / $3, $4, $5, ticks * 1e6 / hertz / $2, $6 / $2 }' <<<"$result"
}

for ((round = 0; round <= rounds; round++)); do
  for line in "${traffics[@]}"; do
    read -r traffic node requests range _ <<<"$line"
    [ -z "$only" ] || [ "$only" = "$traffic" ] || continue
    # Whoever comes second finds the machine as the first left it, so they take turns.
    order=(empty "$node")
    [ $((round % 2)) = 0 ] || order=("$node" empty)
    for server in "${order[@]}"; do
      if [ "$round" = 0 ]; then
        printf 'warming up: %s to %s\n' "$traffic" "$server" >&2
        load "$server" "$requests" "$range" 3 >/dev/null
      else
        role=node
        [ "$server" != empty ] || role=empty
        figures=$(measure "$server" "$requests" "$range")
        printf 'round %s of %s: %-8s %-6s %s\n' "$round" "$rounds" "$traffic" "$role" "$figures" >&2
        printf '%s %s %s %s\n' "$round" "$traffic" "$role" "$figures" >>"$work/figures"
      fi
    done
  done
done

figures_of() { awk -v t="$1" -v r="$2" -v f="$3" '$2 == t && $3 == r { print $f }' "$work/figures"; }
median() { sort -g | awk '{ v[NR] = $1 } END { m = int((NR + 1) / 2); print NR % 2 ? v[m] : (v[m] + v[m + 1]) / 2 }'; }
ratio() { paste <(figures_of "$1" node "$2") <(figures_of "$1" empty "$2") | awk '{ print $1 / $2 }' | median; }
row() { # TRAFFIC ROLE TITLE DECISIONS
  local rps
  rps=$(figures_of "$1" "$2" 4 | median)
  printf '| %s | %.0f | %s | %s | %.2f | %.2f | %.1f | %s | %.1f %% |\n' "$3" "$rps" "$(awk -v r="$rps" -v d="$4" 'BEGIN { if (d) printf "%.0f", r * d }')" "$5" \
    "$(figures_of "$1" "$2" 5 | median)" "$(figures_of "$1" "$2" 6 | median)" "$(figures_of "$1" "$2" 7 | median)" "$6" \
    "$(figures_of "$1" "$2" 8 | median | awk '{ print $1 * 100 }')"
}
report() {
  printf -- '- Machine: %s, %s processors; load average %s at the end\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)" "$(nproc)" "$(cut -d' ' -f1 /proc/loadavg)"
  printf -- '- Runtime: .NET %s; %s\n' "$(dotnet --list-runtimes | awk '/AspNetCore/ { v = $2 } END { print v }')" "$(wrk -v 2>&1 | awk '/^wrk/ { print $1, $2 }')"
  printf -- '- Commit: %s\n' "$(git describe --always --dirty --abbrev=10 2>/dev/null || echo unknown)"
  printf -- '- Command: `bench/http.sh%s`\n' "$(sed 's/ *--markdown [^ ]*//; s/^\(.\)/ \1/' <<<"$given")"
  printf -- '- Nodes: `weir serve --log-level warn --default-limit 1000`; for refused traffic `--default-limit 1 --default-window-ms 3600000`\n\n'
  printf 'Medians of %s rounds of %s s with %s connections, closed loop, load generator on the same cores. Ratios: median of the ratios within each round.\n\n' "$rounds" "$seconds" "$connections"
  printf '| traffic | requests/s | decisions/s | ratio | p50 ms | p99 ms | CPU µs/request | ratio | 4xx |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|\n'
  for line in "${traffics[@]}"; do
    read -r traffic _ _ _ decisions title <<<"$line"
    grep -q "^[0-9]* $traffic " "$work/figures" || continue
    row "$traffic" empty "empty endpoint: $title" 0 1 1
    row "$traffic" node "**Weir: $title**" "$decisions" "$(ratio "$traffic" 4 | awk '{ printf "%.2f", $1 }')" "$(ratio "$traffic" 7 | awk '{ printf "%.2f", $1 }')"
  done
}
report | tee "$work/report"
[ -z "$markdown" ] || cp "$work/report" "$markdown"
