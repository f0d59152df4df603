#!/usr/bin/env bash
# Looks for everything that would stop the stack from starting and says it in one line each, before Docker does in many.
#   deploy/scripts/check.sh development|production
# Exits 0 when all is well, 1 otherwise. The targets of the Makefile run it first.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
mode=${1:-development}
problems=0

complain() {
  printf 'check: %s\n' "$*" >&2
  problems=$((problems + 1))
}

# Whether version $1 is at least $2.
at_least() { [ "$(printf '%s\n%s\n' "$2" "${1#v}" | sort -V | head -n1)" = "$2" ]; }

check_engine() {
  command -v docker >/dev/null || { complain "Docker is not installed. See https://docs.docker.com/engine/install/"; return; }
  local compose engine
  compose=$(docker compose version --short 2>/dev/null) || compose=
  if [ -z "$compose" ]; then
    complain "Docker Compose is not installed, or only the old docker-compose is. Install the plugin docker-compose, 2.24.4 or later."
  elif ! at_least "$compose" 2.24.4; then
    complain "Docker Compose $compose is too old: 2.24.4 or later is needed, for !override."
  fi
  engine=$(timeout 20 docker version --format '{{.Server.Version}}' 2>/dev/null) || engine=
  if [ -z "$engine" ]; then
    complain "The Docker engine does not answer. Is it running, and may $(id -un) use it?"
  elif ! at_least "$engine" 20.10.0; then
    complain "Docker engine $engine is too old: 20.10 or later is needed."
  fi
}

# --- .env -----------------------------------------------------------------------------------------------------------------------

known() { grep -qE "^#? ?$1=" .env.example; }

whole() { # NAME VALUE LEAST MOST
  [[ $2 =~ ^[0-9]{1,12}$ ]] && [ "$2" -ge "$3" ] && [ "$2" -le "$4" ] || complain ".env: $1='$2' must be a whole number from $3 to $4."
}

choice() { # NAME VALUE CHOICE...
  local name=$1 value=$2 wanted
  shift 2
  for wanted; do [ "$value" = "$wanted" ] && return; done
  complain ".env: $name='$value' must be one of: $*."
}

matches() { # NAME VALUE PATTERN WHAT
  [[ $2 =~ ^($3)$ ]] || complain ".env: $1='$2' must be $4."
}

check_value() { # NAME VALUE
  case $1 in
    *_PORT) whole "$1" "$2" 1 65535 ;;
    API_PORTS) matches "$1" "$2" '[0-9]{1,5}(-[0-9]{1,5})?' "a port or a range such as 8081-8089" ;;
    API_REPLICAS) whole "$1" "$2" 1 16 ;;
    LB_BALANCE) choice "$1" "$2" leastconn roundrobin ;;
    LOG_LEVEL) choice "$1" "$2" trace debug info warn error ;;
    WATCH_POLLING) choice "$1" "$2" 0 1 ;;
    WEIR_FAILURE_POLICY) choice "$1" "$2" closed open ;;
    START_TIMEOUT_SECONDS) whole "$1" "$2" 1 600 ;;
    LIMIT_*) whole "$1" "$2" 0 1000000000 ;;
    RATELIMITER_FAILURE_POLICY) choice "$1" "$2" closed open local ;;
    RATELIMITER_DECISION_TIMEOUT_MS) whole "$1" "$2" 5 10000 ;;
    WEIR_TIMEOUT_MS) whole "$1" "$2" 1 60000 ;;
    RATELIMITER_DEFAULT_LIMIT) whole "$1" "$2" 0 1000000 ;;
    RATELIMITER_DEFAULT_WINDOW_MS) whole "$1" "$2" 1 31622400000 ;;
    LOADGEN_MAX_IN_FLIGHT) whole "$1" "$2" 1 100000 ;;
    LOADGEN_TARGETS) matches "$1" "$2" 'https?://[^ ,]+(,https?://[^ ,]+)*' "URLs with commas between them" ;;
    LOADGEN_RPS | LOADGEN_BURST_MULTIPLIER) matches "$1" "$2" '[0-9]+(\.[0-9]+)?' "a number" ;;
    LOADGEN_DURATION | LOADGEN_RAMP | LOADGEN_BURST_INTERVAL | LOADGEN_BURST_DURATION | LOADGEN_TIMEOUT) matches "$1" "$2" '[0-9]+(\.[0-9]+)?(ms|s|m|h)?' "seconds, or a time such as 90s or 2m" ;;
    PROMETHEUS_INTERVAL | PROMETHEUS_RETENTION) matches "$1" "$2" '([0-9]+(ms|s|m|h|d|w|y))+' "a time such as 15s or 15d" ;;
    HEALTH_RETRIES) whole "$1" "$2" 1 100 ;;
    HEALTH_* | LB_CHECK_TIMEOUT) matches "$1" "$2" '([0-9]+(ms|s|m))+' "a time such as 5s" ;;
    *_CPUS) matches "$1" "$2" '[0-9]+(\.[0-9]+)?' "a number of processors such as 0.5" ;;
    *_MEMORY) matches "$1" "$2" '[0-9]+[bBkKmMgG]?' "a size such as 256M" ;;
    DB_NAME | DB_USER) matches "$1" "$2" '[a-z_][a-z0-9_]{0,62}' "1 to 63 of a-z, 0-9 and _" ;;
    *_VERSION) matches "$1" "$2" '[A-Za-z0-9_][A-Za-z0-9_.@:-]{0,127}' "the tag of an image" ;;
    TLS_CERTIFICATE | PROMETHEUS_CONFIG) [ -r "$2" ] || complain ".env: $1='$2' is no file that can be read." ;;
  esac
  [ "${1%_VERSION}" = "$1" ] || [ "$2" != latest ] || complain ".env: $1='latest' is another image tomorrow. Name a version."
}

check_env() {
  [ -e .env ] || return
  local line number=0 name value
  while IFS= read -r line || [ -n "$line" ]; do
    number=$((number + 1))
    line=${line%$'\r'}
    [[ $line =~ ^[[:space:]]*(#.*)?$ ]] && continue
    if ! [[ $line =~ ^(export[[:space:]]+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$ ]]; then
      complain ".env, line $number: '$line' must be NAME=value."
      continue
    fi
    name=${BASH_REMATCH[2]} value=${BASH_REMATCH[3]}
    # As Compose reads it: quotes around a value, and comments behind one, are not part of it.
    if [[ $value =~ ^\"(.*)\"[[:space:]]*(#.*)?$ || $value =~ ^\'(.*)\'[[:space:]]*(#.*)?$ ]]; then value=${BASH_REMATCH[1]}; else value=${value%%[[:space:]]#*}; fi
    value=${value%"${value##*[![:space:]]}"}
    if ! known "$name"; then
      complain ".env, line $number: $name is not a variable of this stack; .env.example lists them all."
    elif [ -n "$value" ]; then
      check_value "$name" "$value"
    fi
  done <.env
}

# The value of a variable as Compose sees it: the environment, .env, the default.
value_of() { # NAME DEFAULT
  local value=${!1:-}
  [ -n "$value" ] || value=$(sed -nE "s/^(export +)?$1=[\"']?([^\"'#]*[^\"'# ])[\"']?.*/\2/p" .env 2>/dev/null | tail -n1)
  printf '%s' "${value:-$2}"
}

# --- ports, secrets -------------------------------------------------------------------------------------------------------------

check_port() { # NAME DEFAULT
  local port
  port=$(value_of "$1" "$2")
  [[ $port =~ ^[0-9]+$ ]] || return
  # Ours already: `up` on a running stack.
  [[ $ours == *":$port->"* ]] && return
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    complain "Port $port is taken by another program: end it, or set $1 in .env to another port."
  fi
}

check_ports() {
  local project ours
  project=$(value_of COMPOSE_PROJECT_NAME weir)
  ours=$(timeout 20 docker ps --filter "label=com.docker.compose.project=$project" --format '{{.Ports}}' 2>/dev/null)
  check_port LB_PORT 8080
  if [ "$mode" = production ]; then
    [ -z "$(value_of TLS_CERTIFICATE '')" ] || check_port LB_TLS_PORT 8443
    return
  fi
  local pair
  for pair in RATELIMITER_1_PORT=8001 RATELIMITER_2_PORT=8002 RATELIMITER_3_PORT=8003 FRONTEND_PORT=8090 LB_STATUS_PORT=8404 PROMETHEUS_PORT=9090 REDIS_PORT=6379 DB_PORT=5432; do
    check_port "${pair%=*}" "${pair#*=}"
  done
}

check_secrets() {
  [ "$mode" = production ] || return
  local line directory
  directory=$(value_of SECRETS_DIR ./secrets)
  while IFS= read -r line; do complain "$line"; done < <(sh deploy/scripts/check-secrets.sh "$directory" 2>&1)
}

# Production mounts the file; development has it inline, because a container with a read-only root takes no inline configuration.
check_prometheus() {
  diff -q <(sed '/^ *#/d' deploy/prometheus/prometheus.yml) \
    <(sed -n '/^    content: |/,$p' compose.yaml | sed '1d;s/^      //;/^ *#/d;s/\${PROMETHEUS_INTERVAL:-15s}/15s/') >/dev/null ||
    complain "deploy/prometheus/prometheus.yml and the configuration in compose.yaml differ: make them the same."
}

case $mode in
  development | production) ;;
  *) echo "usage: $0 development|production" >&2; exit 2 ;;
esac
check_engine
check_env
check_ports
check_secrets
check_prometheus
[ "$problems" -eq 0 ]
