# The peers of shared.sh: how they are installed, started and named. Read by it, and uses its functions; not a script of its own.
#   start_flexible PORT, start_fastapi PORT    start a peer and add it to peers, or say why not and go on
#   empty_database NAME                        after a measurement of NAME; does nothing for those that are no peers

# Peers have a database each, emptied after each measurement: keys of one that expire while another is measured would be charged to the other.
declare -A database_of=([flexible]=1 [fastapi]=2) title_of=()
peers=()
empty_database() { [ -z "${database_of[$1]:-}" ] || redis-cli -p "$port" -n "${database_of[$1]}" FLUSHDB >/dev/null; }
peer_environment() { printf 'PORT=%s\nREDIS_URL=redis://127.0.0.1:%s/%s\nLIMIT=1000\nWINDOW_MS=60000\n' "$2" "$port" "${database_of[$1]}"; }
absent() { printf 'shared.sh: without %s: %s\n' "$1" "$2" >&2; printf -- '- Not measured: %s, because %s\n' "$1" "$2" >>"$work/notes"; }
start_flexible() {
  local here="$work/flexible" environment
  mapfile -t environment < <(peer_environment flexible "$1")
  cp -r bench/peers/flexible "$here"
  command -v npm >/dev/null || { absent rate-limiter-flexible 'npm is missing'; return; }
  (cd "$here" && npm install --no-audit --no-fund --no-package-lock >"$work/npm.log" 2>&1) || { absent rate-limiter-flexible 'npm could not install it'; return; }
  start flexible "$1" env "${environment[@]}" NODE_ENV=production node "$here/server.js" || { absent rate-limiter-flexible 'it did not start'; return; }
  version() { node -p "require('$here/node_modules/$1/package.json').version"; }
  title_of[flexible]="rate-limiter-flexible $(version rate-limiter-flexible), fastify $(version fastify), ioredis $(version ioredis), Node $(node --version | tr -d v)"
  peers+=(flexible)
}
start_fastapi() {
  local python='' environment imports='import fastapi, uvicorn, redis.asyncio, uvloop, httptools'
  mapfile -t environment < <(peer_environment fastapi "$1")
  find_python() { for python in /usr/bin/python3 python3; do "$python" -c "$imports" 2>/dev/null && return; done; false; }
  find_python || { install python3-fastapi python3-uvicorn uvicorn python3-redis python3-uvloop python3-httptools && find_python; } || { absent FastAPI 'its packages are missing'; return; }
  start fastapi "$1" env "${environment[@]}" PYTHONDONTWRITEBYTECODE=1 "$python" -m uvicorn app:app --app-dir bench/peers/fastapi --host 127.0.0.1 --port "$1" \
    --workers 1 --loop uvloop --http httptools --log-level warning --no-access-log || { absent FastAPI 'it did not start'; return; }
  title_of[fastapi]="$("$python" -c "$imports, platform
print(f'FastAPI {fastapi.__version__}, uvicorn {uvicorn.__version__}, redis-py {redis.__version__}, Python {platform.python_version()}')")"
  peers+=(fastapi)
}
