#!/usr/bin/env bash
# Three nodes that share one Redis, under bursts, and the proof that together they keep the limit. Then the same with one node that counts for itself, which must be found.
#   bench/three-nodes.sh [--port N] [--out FOLDER] [-- FLAGS OF weir load]
# Nodes listen on the three ports from 8001 on, Redis on the one before. Pages of both runs go to FOLDER (default: a new one, which is named). Needs the .NET 10 SDK and
# redis-server. Takes about a minute and a half. ARTIFACTS=DIR builds into DIR. Exits with 0 only if the first run's promise was kept and the second's was not.
set -euo pipefail
cd "$(dirname "$0")/.."

port=8001 out=''
fail() { printf 'three-nodes.sh: %s\n' "$*" >&2; exit 2; }
while [ $# -gt 0 ]; do
  case $1 in
    --port) port=${2:?--port needs a value}; shift 2 ;;
    --out) out=${2:?--out needs a value}; shift 2 ;;
    --) shift; break ;;
    *) fail "$1 is not an option; see the head of this file" ;;
  esac
done
[[ $port =~ ^[1-9][0-9]*$ ]] || fail "--port '$port' must be a whole number above 0"
command -v redis-server >/dev/null || fail 'redis-server is missing: install it and run this again'
out=${out:-$(mktemp -d)}
mkdir -p "$out"

work=$(mktemp -d)
started=()
stop() {
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
  started=()
}
trap 'stop; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

printf 'building\n' >&2
dotnet publish src/Weir.Cli -c Release -o "$work/weir" -v quiet --nologo ${ARTIFACTS:+-p:ArtifactsPath="$ARTIFACTS"} >"$work/build.log" 2>&1 || { cat "$work/build.log" >&2; fail 'weir does not build'; }
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
await() { # WHAT PORT LOG
  local left
  for ((left = 150; left > 0; left--)); do listens "$2" && return; sleep 0.1; done
  cat "$3" >&2
  fail "$1 did not start"
}

# No setting of the caller's reaches the nodes.
for name in $(compgen -e RATELIMITER_ || true); do unset "$name"; done
nodes() { # SHARING: how many of the three share the counters
  local i url targets=()
  redis-server --port $((port - 1)) --bind 127.0.0.1 --save '' --appendonly no >"$work/redis.log" 2>&1 &
  started+=($!)
  await redis-server $((port - 1)) "$work/redis.log"
  for i in 0 1 2; do
    ! listens $((port + i)) || fail "port $((port + i)) is in use; choose others with --port"
    url=redis://127.0.0.1:$((port - 1))
    [ "$i" -lt "$1" ] || url=''
    # Not through a function: its process would be the shell's, and the node would outlive it.
    env RATELIMITER_REDIS_URL="$url" dotnet "$work/weir/weir.dll" serve --node-host 127.0.0.1 --node-port $((port + i)) --node-id "node-$((i + 1))" --log-level warn >"$work/node-$i.log" 2>&1 &
    started+=($!)
    targets+=("http://localhost:$((port + i))")
  done
  for i in 0 1 2; do await "node $((i + 1))" $((port + i)) "$work/node-$i.log"; done
  joined=$(IFS=,; printf '%s' "${targets[*]}")
}
load() { # NAME
  local status=0
  dotnet "$work/weir/weir.dll" load --targets "$joined" --rps 500 --duration 30 --burst-multiplier 4 --burst-interval 10 --burst-duration 5 --expect 100/1m --html "$out/$1.html" --json "$out/$1.json" "${flags[@]}" || status=$?
  return "$status"
}
flags=("$@")

printf '\n== three nodes, one Redis\n'
nodes 3
kept=0; load shared || kept=$?
stop
printf '\n== two nodes on Redis, one on its own memory\n'
nodes 2
broken=0; load alone || broken=$?
stop

[ "$kept" = 0 ] || fail "with all nodes sharing, weir load exits with $kept instead of 0"
[ "$broken" = 1 ] || fail "with one node alone, weir load exits with $broken instead of 1"
printf '\nas it should be: kept with all nodes sharing, broken with one alone. Pages are in %s\n' "$out"
