#!/usr/bin/env bash
# Measures the sample application with real PostgreSQL and Redis: without limits, with limits decided in its memory, and by a node that counts in Redis.
#   bench/sample.sh [--rounds N] [--seconds N] [--connections N] [--port N] [--markdown FILE]
# Two kinds of traffic: GET / (two commands to Redis), and saying something to the assistant (three statements' worth of PostgreSQL, a script in Redis, and
# tokens that are reserved and committed). Rounds are interleaved, and ratios are taken within the round. Closed loop; everything shares the machine's
# cores: read the ratios. Needs the .NET 10 SDK, wrk, redis-server and PostgreSQL; as root PostgreSQL runs as postgres or nobody.
# Takes about rounds x seconds x 6 plus a minute. ARTIFACTS=DIR builds into DIR.
set -euo pipefail
cd "$(dirname "$0")/.."
given="$*"

rounds=5 seconds=5 connections=32 port=8150 markdown=''
fail() { printf 'sample.sh: %s\n' "$*" >&2; exit 2; }
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || fail "$1 needs a value"
  case $1 in
    --rounds) rounds=$2 ;;
    --seconds) seconds=$2 ;;
    --connections) connections=$2 ;;
    --port) port=$2 ;;
    --markdown) markdown=$2 ;;
    *) fail "$1 is not an option; see the head of this file" ;;
  esac
  shift 2
done
for number in "$rounds" "$seconds" "$connections" "$port"; do
  [[ $number =~ ^[1-9][0-9]*$ ]] || fail "'$number' must be a whole number above 0"
done
for program in wrk redis-server curl; do
  command -v "$program" >/dev/null || fail "$program is missing: install it (apt-get install $program) and run this again"
done
postgres=''
for folder in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV) "$(dirname "$(readlink -f "$(command -v initdb || echo /nowhere/initdb)")")"; do
  [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ] && postgres=$folder && break
done
[ -n "$postgres" ] || fail "PostgreSQL is missing: install it (apt-get install postgresql) and run this again"
as=()
work=$(mktemp -d)
mkdir "$work/pg"
if [ "$(id -u)" = 0 ]; then
  user=nobody
  ! id postgres >/dev/null 2>&1 || user=postgres
  as=(setpriv "--reuid=$(id -u $user)" "--regid=$(id -g $user)" --clear-groups --)
  chmod 711 "$work"
  chown "$user" "$work/pg"
fi

started=()
stop() {
  # The application first, so that nothing misses its stores.
  for ((i = ${#started[@]} - 1; i >= 0; i--)); do kill "${started[i]}" 2>/dev/null || true; wait "${started[i]}" 2>/dev/null || true; done
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
publish samples/AgentApi agent

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
declare -A pid_of port_of
next=$port
start() { # NAME COMMAND..., where {port} stands for its port
  local name=$1 at=$next left=300
  shift
  ! listens "$at" || fail "port $at is in use; choose others with --port"
  "${@//\{port\}/$at}" >"$work/$name.log" 2>&1 </dev/null &
  started+=($!)
  pid_of[$name]=$! port_of[$name]=$at next=$((next + 1))
  until listens "$at"; do
    if ! kill -0 "${pid_of[$name]}" 2>/dev/null || [ $((left -= 1)) = 0 ]; then cat "$work/$name.log" >&2; fail "$name did not start"; fi
    sleep 0.1
  done
}
"${as[@]}" "$postgres/initdb" -D "$work/pg/data" -U agent --auth=trust --encoding=UTF8 --locale=C --no-sync >"$work/initdb.log" 2>&1 || { cat "$work/initdb.log" >&2; fail "initdb failed"; }
start postgres "${as[@]}" "$postgres/postgres" -D "$work/pg/data" -p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=
start redis redis-server --bind 127.0.0.1 --port {port} --save '' --appendonly no
start counters redis-server --bind 127.0.0.1 --port {port} --save '' --appendonly no
# Only what stands here: no setting of the caller's reaches the programs.
clean=(env -i "PATH=$PATH" "HOME=$HOME" ${DOTNET_ROOT:+"DOTNET_ROOT=$DOTNET_ROOT"})
# A load that takes all cores must not turn into decisions that come too late, so they may take longer than in production, here and below.
start node "${clean[@]}" "RATELIMITER_REDIS_URL=redis://127.0.0.1:${port_of[counters]}" dotnet "$work/weir/weir.dll" serve --listen-address 127.0.0.1 --log-level warn --node-port {port} \
  --decision-timeout-ms 500
key=bench-key-1
ways=(off memory nodes)
for way in "${ways[@]}"; do
  start "$way" "${clean[@]}" "DATABASE_URL=postgres://agent@127.0.0.1:${port_of[postgres]}/postgres" "REDIS_URL=redis://127.0.0.1:${port_of[redis]}" \
    "API_KEYS=bench:$key" LISTEN_ADDRESS=127.0.0.1 PORT={port} "INSTANCE_NAME=$way" LOG_LEVEL=warn TRUSTED_PROXIES=127.0.0.1 DRAIN_SECONDS=0 \
    "WEIR_LIMITER=$way" "WEIR_NODES=127.0.0.1:${port_of[node]}" WEIR_FAILURE_POLICY=closed WEIR_TIMEOUT_MS=2000 \
    LIMIT_ADDRESS_PER_MINUTE=1000000 LIMIT_USER_PER_MINUTE=1000000 LIMIT_TOKENS_PER_MINUTE=1000000000 dotnet "$work/agent/agent-api.dll"
done
for i in $(seq 200); do
  answer=$(curl -s -X POST -H "X-API-Key: $key" "http://127.0.0.1:${port_of[off]}/conversations")
  sed -n 's/.*"id":"\([^"]*\)".*/\1/p' <<<"$answer"
done >"$work/conversations"
[ "$(wc -l <"$work/conversations")" = 200 ] || fail "conversations could not be begun: $answer"

ticks_per_second=$(getconf CLK_TCK)
ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/${pid_of[$1]}/stat"; }
# Prints: requests/s, p50 ms, p99 ms, processor microseconds of the application per request, share of answers of 400 and above.
measure() { # WAY TRAFFIC SECONDS
  local before after result
  before=$(ticks "$1")
  result=$(wrk -t1 -c"$connections" -d"$3s" -s bench/sample.lua "http://127.0.0.1:${port_of[$1]}" -- "$2" "$key" "$work/conversations" | grep '^RESULT') || fail "wrk failed on $1"
  after=$(ticks "$1")
  awk -v ticks=$((after - before)) -v hertz="$ticks_per_second" '{
    if ($7 > 0) print "sample.sh: " $7 " socket errors" > "/dev/stderr"
    print $2 / $3, $4, $5, ticks * 1e6 / hertz / $2, $6 / $2 }' <<<"$result"
}
traffics=(page talk)
for ((round = 0; round <= rounds; round++)); do
  for traffic in "${traffics[@]}"; do
    # Whoever comes later finds the machine as the others left it, so they take turns.
    for way in "${ways[@]:$((round % 3))}" "${ways[@]:0:$((round % 3))}"; do
      if [ "$round" = 0 ]; then
        printf 'warming up: %s, %s\n' "$traffic" "$way" >&2
        measure "$way" "$traffic" 3 >/dev/null
      else
        figures=$(measure "$way" "$traffic" "$seconds")
        printf 'round %s of %s: %-5s %-7s %s\n' "$round" "$rounds" "$traffic" "$way" "$figures" >&2
        printf '%s %s %s %s\n' "$round" "$traffic" "$way" "$figures" >>"$work/figures"
      fi
    done
  done
done

figures_of() { awk -v t="$1" -v w="$2" -v f="$3" '$2 == t && $3 == w { print $1, $f }' "$work/figures" | sort -n | cut -d' ' -f2; }
median() { sort -g | awk '{ v[NR] = $1 } END { m = int((NR + 1) / 2); print NR % 2 ? v[m] : (v[m] + v[m + 1]) / 2 }'; }
ratio() { paste <(figures_of "$1" "$2" "$3") <(figures_of "$1" off "$3") | awk '{ print $1 / $2 }' | median; }
title() {
  case $1 in
    page) echo 'GET /' ;;
    talk) echo 'POST /conversations/{id}/messages' ;;
    off) echo 'no limits' ;;
    memory) echo '**limits in memory**' ;;
    nodes) echo '**limits by a node over Redis**' ;;
  esac
}
report() {
  printf -- '- Machine: %s, %s processors; load average %s at the end\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)" "$(nproc)" "$(cut -d' ' -f1 /proc/loadavg)"
  printf -- '- Runtime: .NET %s; PostgreSQL %s; Redis %s; %s\n' "$(dotnet --list-runtimes | awk '/AspNetCore/ { v = $2 } END { print v }')" \
    "$("$postgres/postgres" --version | awk '{ print $3 }')" "$(redis-server --version | sed 's/.* v=\([^ ]*\).*/\1/')" "$(wrk -v 2>&1 | awk '/^wrk/ { print $1, $2 }')"
  printf -- '- Commit: %s\n' "$(git describe --always --dirty --abbrev=10 2>/dev/null || echo unknown)"
  printf -- '- Command: `bench/sample.sh%s`\n\n' "$(sed 's/ *--markdown [^ ]*//; s/^\(.\)/ \1/' <<<"$given")"
  printf 'Medians of %s rounds of %s s with %s connections and 10,000 client addresses, closed loop, everything on the same cores. Ratios: median of the ratios within each round.\n\n' "$rounds" "$seconds" "$connections"
  printf '| traffic | with | requests/s | ratio | p50 ms | p99 ms | CPU µs/request of the application | ratio | 4xx, 5xx |\n|---|---|---:|---:|---:|---:|---:|---:|---:|\n'
  for traffic in "${traffics[@]}"; do
    for way in "${ways[@]}"; do
      printf '| %s | %s | %.0f | %.2f | %.2f | %.2f | %.0f | %.2f | %.1f %% |\n' "$(title "$traffic")" "$(title "$way")" "$(figures_of "$traffic" "$way" 4 | median)" \
        "$(ratio "$traffic" "$way" 4)" "$(figures_of "$traffic" "$way" 5 | median)" "$(figures_of "$traffic" "$way" 6 | median)" \
        "$(figures_of "$traffic" "$way" 7 | median)" "$(ratio "$traffic" "$way" 7)" "$(figures_of "$traffic" "$way" 8 | median | awk '{ print $1 * 100 }')"
    done
  done
}
report | tee "$work/report"
[ -z "$markdown" ] || cp "$work/report" "$markdown"
