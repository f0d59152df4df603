#!/usr/bin/env bash
# Builds everything and runs every test, with all set-up that the tests need.
#   ./test.sh                 everything
#   ./test.sh Core            only test projects whose name contains "Core"
# Ends with a line "N passed, N failed" (", N skipped" where tests say why they could not run) and exits 0 only if none failed.
set -uo pipefail
cd "$(dirname "$0")" || exit 2
wanted=${1:-}
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

say() { printf '%s\n' "$*"; }

# Tests compare with real programs. Where one is missing it is installed from the distribution; where that is not possible, the tests that need it
# are skipped and say so.
has() { # Debian keeps the programs of PostgreSQL off the PATH.
  command -v "$1" >/dev/null 2>&1 || compgen -G "/usr/lib/postgresql/*/bin/$1" >/dev/null
}
need() { # PROGRAM PACKAGES WHAT-FOR
  has "$1" && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    say "installing $2, for $3"
    # shellcheck disable=SC2086 # several packages
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $2; } >/dev/null 2>&1
  fi
  has "$1" || say "without $1 ($2): tests of $3 will be skipped"
}

if ! dotnet --list-sdks 2>/dev/null | grep -q '^10\.'; then
  say "The .NET 10 SDK is missing: install dotnet-sdk-10.0 and run this again."
  exit 2
fi
need promtool prometheus "the metrics page"
need redis-server redis-server "the Redis client"
need postgres postgresql "the sample application"
need cc "gcc libc6-dev" "a server whose clock steps"
has chromium-browser || has google-chrome || need chromium chromium "the dashboard in a browser"

say "building"
if ! dotnet build Weir.slnx -c Release -v quiet -clp:NoSummary; then
  say "0 passed, 1 failed"
  exit 1
fi

passed=0 failed=0 skipped=0 unstable=()
notes=$(mktemp)
trap 'rm -f "$notes"' EXIT

# What failed or was skipped, each with its reason, out of what a run printed. It is told at the end, too: a long output is often read from there.
account() { # NAME
  awk -v name="$1" '
    / \[(FAIL|SKIP)\]$/ { lines = 14; print name ": " $0; next }
    lines > 0 && /^      / { lines--; print; next }
    /^ {0,5}[^ ]/ && !/^[0-9-]+T/ { lines = 0 }'
}

# Runs tests of a project and sets total, bad, out (skipped), broken (the methods that failed) and promise (kept, unless a test says that a limit was not).
run() { # NAME FILTERS...
  local name=$1 log status errors
  shift
  log=$(mktemp)
  dotnet "artifacts/bin/$name/release/$name.dll" -noLogo -noColor "$@" 2>&1 | tee "$log" | grep -vE '^ *(Discover|Start|Finish)(ing|ed):'
  status=${PIPESTATUS[0]}
  read -r total errors bad out < <(sed -n 's/.*Total: *\([0-9]*\), Errors: *\([0-9]*\), Failed: *\([0-9]*\), Skipped: *\([0-9]*\).*/\1 \2 \3 \4/p' "$log" | tail -1)
  mapfile -t broken < <(sed -n 's/^ *\([A-Za-z][A-Za-z0-9_.+]*\).* \[FAIL\]$/\1/p' "$log" | sort -u)
  account "$name" < "$log" >> "$notes"
  promise=kept
  ! grep -q 'promise broken' "$log" || promise=broken
  rm -f "$log"
  total=${total:-0} out=${out:-0}
  # A run that ends badly without counting a failure, or without counting at all, is a failure all the same.
  [ $(( ${bad:-0} + ${errors:-0} )) -gt 0 ] || [ "$status" -eq 0 ] || broken=() bad=1
  # Errors outside of tests are no test's to make good.
  [ "${errors:-0}" -eq 0 ] || broken=()
  bad=$(( ${bad:-0} + ${errors:-0} ))
  [ "$total" -gt 0 ] || [ "$bad" -gt 0 ] || bad=1
}

# Many tests judge durations, and a machine that stands still for a moment fails them. What failed is run again, alone, twice at most; what passes then is named at the
# end. What says that a limit was not kept, or that a decision is not the model's, gets no second chance.
again() { # NAME: of the run before; sets bad to what failed for good
  local name=$1 methods=("${broken[@]}") first=$bad cases=$total skips=$out
  [ "$bad" -gt 0 ] && [ "${#methods[@]}" -gt 0 ] && [ "${#methods[@]}" -le 5 ] || return
  [ "$promise" = kept ] || return
  ! printf '%s\n' "${methods[@]}" | grep -qiE 'exact|replay|once|over_?admi|contract|model|localpolicy|denymemory|limit_holds' || return
  local attempt
  for attempt in 1 2; do
    sleep 5
    say "again: ${methods[*]}"
    run "$name" $(printf -- '-method %s ' "${methods[@]}")
    [ "$promise" = kept ] || break
    [ "$bad" -gt 0 ] || break
  done
  if [ "$bad" -eq 0 ]; then unstable+=("${methods[@]}"); else bad=$first; fi
  total=$cases out=$skips
}

judge() { # NAME TITLE
  case $1 in *"$wanted"*) ;; *) return ;; esac
  say "" "== $2"
  run "$1"
  again "$1"
  passed=$(( passed + total - (bad > total ? total : bad) - out ))
  failed=$(( failed + bad ))
  skipped=$(( skipped + out ))
}

# Nodes share counters through Redis or Valkey: redis-server first, and then once more the server that WEIR_REDIS_SERVER names, or valkey-server.
other=${WEIR_REDIS_SERVER:-}
if command -v redis-server >/dev/null 2>&1; then
  unset WEIR_REDIS_SERVER
  [ -n "$other" ] || other=$(command -v valkey-server || true)
else
  other=
fi

for project in tests/*.Tests; do
  judge "$(basename "$project")" "$(basename "$project")"
done
if [ -n "$other" ]; then
  export WEIR_REDIS_SERVER=$other
  for name in Weir.Redis.Tests Weir.EndToEnd.Tests; do
    judge "$name" "$name with $("$other" --version)"
  done
fi

say ""
cat "$notes"
[ "${#unstable[@]}" -eq 0 ] || say "unstable, passed when run again: ${unstable[*]}"
if [ "$skipped" -gt 0 ]; then say "$passed passed, $failed failed, $skipped skipped"; else say "$passed passed, $failed failed"; fi
[ "$failed" -eq 0 ]
