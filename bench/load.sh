#!/usr/bin/env bash
# Measures the load generator: how many requests/s one core of it drives against an empty Kestrel endpoint, beside wrk and hey, and how punctual and how cheap its schedule is.
#   bench/load.sh [--rounds N] [--seconds N] [--connections N] [--port N] [--markdown FILE]
# Rounds are interleaved: in each, every generator has its turn, in changing order, and ratios are taken within the round. Generators run on one core (taskset), the
# server on the others where there are any. Needs the .NET 10 SDK, wrk and hey. Takes about rounds x (seconds + 4) x 7. ARTIFACTS=DIR builds into DIR.
set -euo pipefail
cd "$(dirname "$0")/.."
given="$*"

rounds=5 seconds=5 connections=64 port=8120 markdown=''
fail() { printf 'load.sh: %s\n' "$*" >&2; exit 2; }
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
[ "$seconds" -ge 2 ] || fail "--seconds must be 2 or more"
for tool in wrk hey taskset; do
  command -v "$tool" >/dev/null && continue
  package=$tool
  [ "$tool" != taskset ] || package=util-linux
  [ "$(id -u)" = 0 ] && apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1 || fail "$tool is missing: install it (apt-get install $package) and run this again"
done

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

# The last core is the generator's; the server has the others, or shares the only one.
cores=$(nproc)
generator=$((cores - 1)) server=0-$((cores > 1 ? cores - 2 : 0))
url=http://127.0.0.1:$port
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }
! listens || fail "port $port is in use; choose another with --port"
taskset -c "$server" dotnet "$work/empty/EmptyEndpoint.dll" "$port" >"$work/empty.log" 2>&1 &
started+=($!)
for ((left = 100; left > 0; left--)); do listens && break; sleep 0.1; done
listens || { cat "$work/empty.log" >&2; fail "the endpoint did not start"; }

ticks_per_second=$(getconf CLK_TCK)
ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$1/stat" 2>/dev/null; }
json() { sed -n "s/^ *\"$1\": \\([0-9.]*\\),*$/\\1/p" "$work/report.json" | head -1; } # NAME
lag() { sed -n '/"start_lag_ms"/,/}/p' "$work/report.json" | sed -n "s/^ *\"$1\": \\([0-9.]*\\),*$/\\1/p"; } # QUANTILE

# Runs a generator in the background and takes its processor time over the middle of the run. Sets cpu (cores used) and leaves its output in $work/out.
observe() { # COMMAND...
  local pid before after from to
  taskset -c "$generator" "$@" >"$work/out" 2>&1 &
  pid=$!
  sleep 2
  from=$(date +%s%N) before=$(ticks "$pid")
  sleep "$((seconds - 1))"
  after=$(ticks "$pid") to=$(date +%s%N)
  [ -n "$after" ] || fail "$1 ended early"
  wait "$pid" || { cat "$work/out" >&2; fail "$1 failed"; }
  cpu=$(awk -v t="$((after - before))" -v hertz="$ticks_per_second" -v n="$((to - from))" 'BEGIN { printf "%.4f", t / hertz / (n / 1e9) }')
}
# Each generator prints: requests/s, microseconds of its processor time per request.
run_wrk() {
  observe wrk -t1 -c"$connections" -d"$((seconds + 2))s" "$url/rate-limit/alice"
  rate=$(awk '/^Requests\/sec/ { print $2 }' "$work/out")
}
run_hey() {
  observe hey -z "$((seconds + 2))s" -c "$connections" -cpus 1 "$url/rate-limit/alice"
  rate=$(awk '/Requests\/sec/ { print $2 }' "$work/out")
}
run_weir() {
  observe dotnet "$work/weir/weir.dll" load --targets "$url" --json "$work/report.json" --loop closed --max-in-flight "$connections" --duration $((seconds + 2)) --keys fixed:alice
  rate=$(json sent_rate)
}
# One that asks for the proof as well: what remembering every request costs.
run_proof() {
  observe dotnet "$work/weir/weir.dll" load --targets "$url" --json "$work/report.json" --loop closed --max-in-flight "$connections" --duration $((seconds + 2)) --keys 1000 --expect 4000000000/1h
  rate=$(json sent_rate)
}
run_open() { # RATE
  observe dotnet "$work/weir/weir.dll" load --targets "$url" --json "$work/report.json" --rps "$1" --duration $((seconds + 2)) --keys fixed:alice
  printf 'open %s %s %s %s %s %s %s\n' "$1" "$(json sent_rate)" "$(lag p50)" "$(lag p99)" "$cpu" "$(json skipped)" "$round" >>"$work/figures"
}

for ((round = 0; round <= rounds; round++)); do
  order=(wrk hey weir proof)
  [ $((round % 2)) = 0 ] || order=(proof weir hey wrk)
  for name in "${order[@]}"; do
    printf 'round %s of %s: %s\n' "$round" "$rounds" "$name" >&2
    "run_$name"
    # The first round warms the endpoint up.
    [ "$round" = 0 ] || printf 'closed %s %s %s %s\n' "$round" "$name" "$rate" "$(awk -v c="$cpu" -v r="$rate" 'BEGIN { print c * 1e6 / r }')" >>"$work/figures"
  done
  [ "$round" = 0 ] || for rate in 10 500 5000; do
    printf 'round %s of %s: %s/s\n' "$round" "$rounds" "$rate" >&2
    run_open "$rate"
  done
done

median() { sort -g | awk '{ v[NR] = $1 } END { m = int((NR + 1) / 2); print NR % 2 ? v[m] : (v[m] + v[m + 1]) / 2 }'; }
closed() { awk -v n="$1" -v f="$2" '$1 == "closed" && $3 == n { print $f }' "$work/figures"; }
open() { awk -v n="$1" -v f="$2" '$1 == "open" && $2 == n { print $f }' "$work/figures"; }
row() { # NAME TITLE
  printf '| %s | %.0f | %.2f | %.1f |\n' "$2" "$(closed "$1" 4 | median)" "$(paste <(closed "$1" 4) <(closed hey 4) | awk '{ print $1 / $2 }' | median)" "$(closed "$1" 5 | median)"
}
report() {
  printf -- '- Machine: %s, %s processors; load average %s at the end\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)" "$cores" "$(cut -d' ' -f1 /proc/loadavg)"
  printf -- '- Runtime: .NET %s; %s; hey %s\n' "$(dotnet --list-runtimes | awk '/NETCore/ { v = $2 } END { print v }')" "$(wrk -v 2>&1 | awk '/^wrk/ { print $1, $2 }')" "$(dpkg-query -W -f '${Version}' hey 2>/dev/null || echo '')"
  printf -- '- Commit: %s\n' "$(git describe --always --dirty --abbrev=10 2>/dev/null || echo unknown)"
  printf -- '- Command: `bench/load.sh%s`\n\n' "$(sed 's/ *--markdown [^ ]*//; s/^\(.\)/ \1/' <<<"$given")"
  printf 'As fast as answers come, %s connections, generator on one core; medians of %s rounds of %s s. The ratio is the median of the ratios within each round.\n\n' "$connections" "$rounds" "$seconds"
  printf '| generator | requests/s | to hey | its CPU µs/request |\n|---|---:|---:|---:|\n'
  row wrk 'wrk, one thread'
  row hey 'hey, one processor'
  row weir '**weir load**'
  row proof 'weir load, remembering every request for the proof'
  printf '\nOn a schedule, one core; the same rounds. Lag is how much later than planned a request was sent.\n\n'
  printf '| asked | sent/s | skipped | median lag ms | p99 lag ms | cores used |\n|---:|---:|---:|---:|---:|---:|\n'
  for rate in 10 500 5000; do
    printf '| %s | %.1f | %.0f | %.3f | %.3f | %.3f |\n' "$rate" "$(open "$rate" 3 | median)" "$(open "$rate" 7 | median)" "$(open "$rate" 4 | median)" "$(open "$rate" 5 | median)" "$(open "$rate" 6 | median)"
  done
}
report | tee "$work/report"
[ -z "$markdown" ] || cp "$work/report" "$markdown"
