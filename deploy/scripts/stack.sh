# Sourced by the scripts beside it: the stack that runs, by the files that the Makefile would take.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
files=(-f compose.yaml -f compose.prod.yaml -f compose.scale.yaml)
[ "${LB:-haproxy}" = nginx ] && files+=(-f compose.nginx.yaml)
tls=${TLS_CERTIFICATE:-$(sed -n 's/^TLS_CERTIFICATE=//p' .env 2>/dev/null || true)}
[ -n "$tls" ] && files+=(-f compose.tls.yaml)

stack() { docker compose "${files[@]}" "$@"; }
say() { printf '%s %s\n' "$(date +%T)" "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }

instances() { stack ps --quiet "${1:-api}"; }

health_of() { docker inspect --format '{{if .State.Health}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}' "$1" 2>/dev/null || echo gone; }

# Waits until containers are healthy; fails after a minute, or at once when one has ended.
wait_healthy() { # ID...
  local id deadline=$((SECONDS + 60)) state
  for id; do
    until state=$(health_of "$id"); [ "$state" = healthy ]; do
      case $state in exited | dead | gone) return 1 ;; esac
      [ "$SECONDS" -lt "$deadline" ] || return 1
      sleep 0.5
    done
  done
}

# How long a balancer takes to find a replica by its name and to see it healthy twice: HAProxy 1 s + 2 × 1 s, nginx 3 s.
balancer_notices() { sleep 4; }
