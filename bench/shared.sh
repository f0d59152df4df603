#!/usr/bin/env bash
# Measures nodes that share counters through Redis, and what they cost: in the process, over HTTP, on one hot key, and beside other limiters on the same Redis.
#   bench/shared.sh [--rounds N] [--seconds N] [--connections N] [--only inprocess|http|hot|peers] [--port N] [--markdown FILE]
# Rounds are interleaved: in each, every contender is measured once, one after the other, and ratios are taken within the round.
# Closed loop, at saturation. The load generator, the servers and Redis share the machine's cores: read the ratios, not the absolute numbers.
# Needs the .NET 10 SDK, redis-server and wrk; for the peers npm, and FastAPI, uvicorn and redis-py. As root, what Debian has is installed when it is missing.
# Takes about rounds x seconds x 45, plus two minutes. ARTIFACTS=DIR builds into DIR instead of artifacts/. Ends with 1 when a decision was degraded.
set -euo pipefail
cd "$(dirname "$0")/.."
given="$*"

rounds=5 seconds=4 connections=64 only='' port=8130 markdown=''
readonly keys=100000 keys_refused=100
fail() { printf 'shared.sh: %s\n' "$*" >&2; exit 2; }
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || fail "$1 needs a value"
  case $1 in
    --rounds) rounds=$2 ;;
    --seconds) seconds=$2 ;;
    --connections) connections=$2 ;;
    --only) only=$2 ;;
    --port) port=$2 ;;
    --markdown) markdown=$2 ;;
    *) fail "$1 is not an option; see the head of this file" ;;
  esac
  shift 2
done
for number in "$rounds" "$seconds" "$connections" "$port"; do
  [[ $number =~ ^[1-9][0-9]*$ ]] || fail "'$number' must be a whole number above 0"
done
case $only in '' | inprocess | http | hot | peers) ;; *) fail "--only $only must be inprocess, http, hot or peers" ;; esac
wants() { [ -z "$only" ] || [ "$only" = "$1" ]; }

install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1; }
for need in wrk:wrk redis-server:redis-server redis-cli:redis-tools; do
  command -v "${need%:*}" >/dev/null || install "${need#*:}" || fail "${need%:*} is missing: install it (apt-get install ${need#*:}) and run this again"
done

work=$(mktemp -d)
declare -A pid_of port_of
stop() {
  for pid in "${pid_of[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$work"
}
trap stop EXIT
# Set, so that a signal waits for the command that runs: what it still writes is then swept away too.
trap 'exit 130' INT TERM

printf 'building\n' >&2
publish() { # PROJECT FOLDER
  dotnet publish "$1" -c Release -o "$work/$2" -v quiet --nologo ${ARTIFACTS:+-p:ArtifactsPath="$ARTIFACTS"} >"$work/build.log" 2>&1 || { cat "$work/build.log" >&2; fail "$1 does not build"; }
}
[ "$only" = inprocess ] || publish src/Weir.Cli weir
! wants inprocess || publish bench/Weir.Benchmarks benchmarks

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
await() { # NAME COMMAND...: until the command succeeds, as long as the process lives
  local name=$1 left=150
  shift
  until "$@"; do
    if ! kill -0 "${pid_of[$name]}" 2>/dev/null || [ $((left -= 1)) = 0 ]; then cat "$work/$name.log" >&2; return 1; fi
    sleep 0.1
  done
}
start() { # NAME PORT COMMAND...
  local name=$1 at=$2
  shift 2
  ! listens "$at" || fail "port $at is in use; choose others with --port"
  "$@" >"$work/$name.log" 2>&1 &
  pid_of[$name]=$! port_of[$name]=$at
  await "$name" listens "$at" || { end "$name"; return 1; }
}
end() { # NAME...
  for name in "$@"; do
    kill "${pid_of[$name]}" 2>/dev/null || true
    wait "${pid_of[$name]}" 2>/dev/null || true
    unset "pid_of[$name]"
  done
}
get() { # NAME PATH
  exec 3<>"/dev/tcp/127.0.0.1/${port_of[$1]}"
  printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
  cat <&3
  exec 3>&-
}
is_ready() { get "$1" /health/ready 2>/dev/null | grep -q '^HTTP/1.1 200'; }

# Only what the command line says: no setting of the caller's reaches the nodes.
for name in $(compgen -e RATELIMITER_ || true); do unset "$name"; done
nodes=()
serve() { # NAME PORT FLAGS...
  local name=$1 at=$2
  shift 2
  start "$name" "$at" dotnet "$work/weir/weir.dll" serve --listen-address 127.0.0.1 --log-level warn --node-id "$name" --node-port "$at" "$@" || fail "$name did not start"
  await "$name" is_ready "$name" || fail "$name did not become ready"
  nodes+=("$name")
}
# A load generator that takes the cores must not turn into degraded answers, so decisions may wait for Redis longer than in production.
readonly shared=(--redis-url "redis://127.0.0.1:$port" --decision-timeout-ms 500)
start redis "$port" redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no --dir "$work" || fail 'redis-server did not start'

. bench/peers/peers.sh

ticks_per_second=$(getconf CLK_TCK)
ticks() { for name in "$@"; do cat "/proc/${pid_of[$name]}/stat"; done | awk '{ sub(/.*\) /, ""); n += $12 + $13 } END { print n }'; }
# Counted by Redis itself, whoever sent them.
scripts() { redis-cli -p "$port" INFO commandstats | awk -F'[:=,]' '/^cmdstat_(evalsha|eval|fcall)/ { n += $3 } END { printf "%.0f\n", n }'; }
load() { # SERVER CONNECTIONS REQUESTS KEYS SECONDS
  wrk -t1 -c"$2" -d"$5s" -s bench/http.lua "http://127.0.0.1:${port_of[$1]}" -- "$3" "$4" | grep '^RESULT' || fail "wrk failed on $1"
}
# Prints: requests/s, p50 ms, p99 ms, processor microseconds per request of the server, of Redis and of both, scripts per 1,000 requests, share of answers of 400 and above.
measure() { # SERVER REQUESTS KEYS
  local before after result
  before="$(ticks "$1") $(ticks redis) $(scripts)"
  result=$(load "$1" "$connections" "$2" "$3" "$seconds")
  after="$(ticks "$1") $(ticks redis) $(scripts)"
  awk -v before="$before" -v after="$after" -v hertz="$ticks_per_second" '{
    if ($7 > 0) print "shared.sh: " $7 " socket errors" > "/dev/stderr"
    split(before, b); split(after, a); own = (a[1] - b[1]) * 1e6 / hertz / $2; redis = (a[2] - b[2]) * 1e6 / hertz / $2
    print $2 / $3, $4, $5, own, redis, own + redis, (a[3] - b[3]) * 1000 / $2, $6 / $2 }' <<<"$result"
}
# Prints, of three nodes together: requests/s, scripts/s, requests per script, processor microseconds per request of Redis and of the nodes, Redis' share of a core, answers of 400 and above.
measure_hot() { # CONNECTIONS
  local before after loads=()
  before="$(ticks "${hot[@]}") $(ticks redis) $(scripts)"
  for name in "${hot[@]}"; do
    load "$name" "$1" get 1 "$seconds" >"$work/$name.load" &
    loads+=($!)
  done
  for pid in "${loads[@]}"; do wait "$pid" || fail 'wrk failed'; done
  after="$(ticks "${hot[@]}") $(ticks redis) $(scripts)"
  for name in "${hot[@]}"; do cat "$work/$name.load"; done | awk -v before="$before" -v after="$after" -v hertz="$ticks_per_second" '
    { requests += $2; time = $3; refused += $6 }
    END { split(before, b); split(after, a); redis = (a[2] - b[2]) / hertz; scripts = a[3] - b[3]
      print requests / time, scripts / time, requests / scripts, redis * 1e6 / requests, (a[1] - b[1]) * 1e6 / hertz / requests, redis / time, refused / requests }'
}
note() { printf 'round %s of %s: %-8s %-12s %s\n' "$round" "$rounds" "$1" "$2" "$3" >&2; printf '%s %s %s %s\n' "$round" "$1" "$2" "$3" >>"$work/figures"; }
check_degraded() {
  for name in "${nodes[@]}"; do
    get "$name" /metrics | tr -d '\r' | awk -v name="$name" '/^ratelimiter_degraded_decisions_total/ { n += $2 } END { print name, n + 0 }' >>"$work/degraded"
  done
}

run_inprocess() {
  printf 'in the process: about %s s\n' $(((2 * rounds + 1) * seconds * 16)) >&2
  dotnet "$work/benchmarks/Weir.Benchmarks.dll" shared --url "redis://127.0.0.1:$port" --callers 1,16,64,1024 --rounds "$rounds" --seconds "$seconds" --out "$work/inprocess" >/dev/null
}

# traffic: limit, requests, keys, title. Every key of the refused traffic is spent by the warm-up.
traffics=(
  "get     wide  get  $keys         GET /rate-limit/{key}, allowed"
  "refused spent get  $keys_refused GET /rate-limit/{key}, refused"
  "post    wide  post $keys         POST /check, one key, allowed"
)
run_http() {
  local limit requests range contenders contender i
  for ((round = 0; round <= rounds; round++)); do
    for line in "${traffics[@]}"; do
      read -r traffic limit requests range _ <<<"$line"
      contenders=()
      ! wants http || contenders=("$limit-memory" "$limit-redis")
      [ "$traffic" != get ] || [ "$only" = http ] || contenders=(${contenders[0]:+"$limit-memory"} "$limit-redis" "$limit-fixed" "${peers[@]}")
      # Who comes next finds the machine as the one before left it, so they take turns.
      for ((i = 0; i < ${#contenders[@]}; i++)); do
        contender=${contenders[(i + round) % ${#contenders[@]}]}
        if [ "$round" = 0 ]; then
          printf 'warming up: %s to %s\n' "$traffic" "$contender" >&2
          load "$contender" "$connections" "$requests" "$range" 3 >/dev/null
        else
          figures=$(measure "$contender" "$requests" "$range")
          note "$traffic" "${contender#*-}" "$figures"
        fi
        empty_database "$contender"
      done
    done
  done
}
run_hot() {
  local counts i count
  mapfile -t counts < <(printf '%s\n' 1 8 "$connections" | sort -nu)
  for ((round = 0; round <= rounds; round++)); do
    for ((i = 0; i < ${#counts[@]}; i++)); do
      count=${counts[(i + round) % ${#counts[@]}]}
      figures=$(measure_hot "$count")
      [ "$round" = 0 ] || note hot "$count" "$figures"
    done
  done
}

touch "$work/figures" "$work/notes" "$work/degraded"
! wants inprocess || run_inprocess
if wants http || wants peers; then
  ! wants http || serve wide-memory $((port + 1)) --default-limit 1000
  serve wide-redis $((port + 2)) --default-limit 1000 --redis-prefix wide "${shared[@]}"
  if wants http; then
    serve spent-memory $((port + 3)) --default-limit 1 --default-window-ms 3600000
    serve spent-redis $((port + 4)) --default-limit 1 --default-window-ms 3600000 --redis-prefix spent "${shared[@]}"
  fi
  if wants peers; then
    serve wide-fixed $((port + 10)) --default-limit 1000 --default-algorithm fixed-window --redis-prefix fixed "${shared[@]}"
    start_flexible $((port + 5))
    start_fastapi $((port + 6))
  fi
  run_http
  check_degraded
  end "${nodes[@]}" "${peers[@]}"
  nodes=()
fi
hot=(hot-1 hot-2 hot-3)
if wants hot; then
  for i in 1 2 3; do serve "hot-$i" $((port + 6 + i)) --default-algorithm token-bucket --default-limit 1000000000 --redis-prefix hot "${shared[@]}"; done
  run_hot
  check_degraded
fi

figures_of() { awk -v t="$1" -v r="$2" -v f="$3" '$2 == t && $3 == r { print $f }' "$work/figures"; }
median() { sort -g | awk '{ v[NR] = $1 } END { m = int((NR + 1) / 2); print NR % 2 ? v[m] : (v[m] + v[m + 1]) / 2 }'; }
middle() { figures_of "$1" "$2" "$3" | median; }
ratio() { paste <(figures_of "$1" "$2" "$4") <(figures_of "$1" "$3" "$4") | awk '{ print $1 / $2 }' | median; } # TRAFFIC ROLE OTHER COLUMN
has() { grep -q "^[0-9]* $1 $2 " "$work/figures"; }
row() { # TITLE RATIO TRAFFIC ROLE
  local column cells=()
  for column in 4 5 6 7 8 9 10 11; do cells+=("$(middle "$3" "$4" "$column")"); done
  printf '| %s | %.0f | %.2f | %.2f | %.2f | %.1f | %.1f | %.1f | %.2f | %.1f %% |\n' "$1" "${cells[0]}" "$2" "${cells[@]:1:6}" "$(awk -v s="${cells[7]}" 'BEGIN { print s * 100 }')"
}
readonly head='| requests/s | ratio | p50 ms | p99 ms | CPU µs/request: server | Redis | both | scripts per 1,000 requests | 4xx |'
readonly rule='|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|'
inprocess() { # CALLERS CONTENDER COLUMN
  awk -F' *[|] *' -v at="## $1 caller" -v name="$2" -v f="$3" '/^## / { here = index($0, at) == 1 } here && $2 == name { gsub(/[^0-9.]/, "", $f); print $f }' "$work/inprocess"
}
goal() { # TITLE MEASURED least|most BOUND
  awk -v title="$1" -v m="$2" -v way="$3" -v bound="$4" 'BEGIN { met = way == "least" ? m >= bound : m <= bound
    printf "| %s | at %s %.3g | %.3g | %s |\n", title, way, bound, m, met ? "met" : "**missed**" }'
}
goals() {
  if wants inprocess; then
    goal 'in the process, 64 callers, token bucket: decisions/s to one script call each' "$(inprocess 64 'weir, token-bucket' 4)" least 2
    goal 'the same without telling new keys to listings' "$(inprocess 64 'weir, token-bucket, unlisted' 4)" least 2
    goal 'the same: bytes allocated per decision, 0 when rounded' "$(inprocess 64 'weir, token-bucket, unlisted' 9)" most 0.5
  fi
  if wants http; then
    for line in "${traffics[@]}"; do
      read -r traffic _ _ _ title <<<"$line"
      goal "$title: requests/s to the memory engine" "$(ratio "$traffic" redis memory 4)" least 0.8
    done
    goal 'a flood on refused keys: scripts of Redis per 1,000 requests' "$(middle refused redis 10)" most 1
  fi
  if wants hot && [ "$connections" -gt 8 ]; then
    goal "hot key, $connections connections a node to 8: Redis' CPU per request" "$(ratio hot "$connections" 8 7)" most 1
    goal "the same: requests/s" "$(ratio hot "$connections" 8 4)" least 1
  fi
  ! has get fastapi || goal 'exact window, CPU of node and Redis to that of FastAPI and Redis' "$(ratio get redis fastapi 9)" most 0.16667
  if has get flexible; then
    goal 'fixed window, CPU of node and Redis to that of rate-limiter-flexible and Redis' "$(ratio get fixed flexible 9)" most 0.5
    goal 'the same with the exact window, which that one does not have' "$(ratio get redis flexible 9)" most 0.5
  fi
}
degraded=$(awk '{ n += $2 } END { print n + 0 }' "$work/degraded")
report() {
  printf -- '- Machine: %s, %s processors; load average %s at the end\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)" "$(nproc)" "$(cut -d' ' -f1 /proc/loadavg)"
  printf -- '- Runtime: .NET %s; Redis %s; %s\n' "$(dotnet --list-runtimes | awk '/AspNetCore/ { v = $2 } END { print v }')" "$(redis-server --version | sed 's/.*v=\([^ ]*\).*/\1/')" "$(wrk -v 2>&1 | awk '/^wrk/ { print $1, $2 }')"
  printf -- '- Commit: %s\n' "$(git describe --always --dirty --abbrev=10 2>/dev/null || echo unknown)"
  printf -- '- Command: `bench/shared.sh%s`\n' "$(sed 's/ *--markdown [^ ]*//; s/^\(.\)/ \1/' <<<"$given")"
  [ "$only" = inprocess ] || printf -- '- Degraded decisions: %s\n' "$degraded"
  cat "$work/notes"
  printf '\nMedians of %s rounds of %s s, closed loop, load generator on the same cores. Ratios: median of the ratios within each round.\n' "$rounds" "$seconds"
  printf '\n### Goals\n\n| what | goal | measured | |\n|---|---:|---:|---|\n'
  goals
  ! wants inprocess || { printf '\n### In the process\n\n'; sed -n '/^## /,$p' "$work/inprocess" | sed 's/^## /#### /'; }
  if wants http; then
    printf '\n### HTTP, %s connections\n\n| traffic %s\n%s\n' "$connections" "$head" "$rule"
    for line in "${traffics[@]}"; do
      read -r traffic _ _ _ title <<<"$line"
      row "memory: $title" 1 "$traffic" memory
      row "**Redis: $title**" "$(ratio "$traffic" redis memory 4)" "$traffic" redis
    done
  fi
  if wants hot; then
    printf '\n### One key, three nodes\n\n| connections per node | requests/s | scripts/s | requests per script | CPU µs/request: nodes | Redis | Redis, share of a core |\n|---|---:|---:|---:|---:|---:|---:|\n'
    for count in $(awk '$2 == "hot" { print $3 }' "$work/figures" | sort -nu); do
      printf '| %s | %.0f | %.0f | %.1f | %.1f | %.2f | %.0f %% |\n' "$count" "$(middle hot "$count" 4)" "$(middle hot "$count" 5)" "$(middle hot "$count" 6)" \
        "$(middle hot "$count" 8)" "$(middle hot "$count" 7)" "$(middle hot "$count" 9 | awk '{ print $1 * 100 }')"
    done
  fi
  if wants peers; then
    printf '\n### Peers on the same Redis, %s connections\n\nGET /rate-limit/{key}, allowed, %s keys. The ratio is of requests/s.\n\n| limiter %s\n%s\n' "$connections" "$keys" "$head" "$rule"
    row '**Weir**, sliding-window' 1 get redis
    row '**Weir**, fixed-window' "$(ratio get fixed redis 4)" get fixed
    for name in "${peers[@]}"; do row "${title_of[$name]}" "$(ratio get "$name" redis 4)" get "$name"; done
  fi
}
report | tee "$work/report"
[ -z "$markdown" ] || cp "$work/report" "$markdown"
[ "$degraded" = 0 ] || { printf 'shared.sh: %s decisions were degraded, so these numbers do not measure what they say\n' "$degraded" >&2; exit 1; }
