#!/usr/bin/env bash
# Finds a container engine and Docker Compose for the tests of the stack, or installs and starts them.
#   tests/stack/engine.sh start    an engine that answers and Compose 2.24.4 or later; installs and starts what is missing
#   tests/stack/engine.sh stop     ends the engine if `start` started it; an engine that was there before stays
#   tests/stack/engine.sh status   says what there is and changes nothing
# Exits 0 with an engine and Compose, 3 where they cannot be had (the last line says why), 2 on misuse.
#
# Installing needs root and apt (Debian, Ubuntu). Nothing else of the machine is changed: Compose and buildx go into
# ${DOCKER_CONFIG:-~/.docker}/cli-plugins when the distribution's own are too old.
set -uo pipefail

state=${WEIR_ENGINE_STATE:-/var/tmp/weir-engine-$(id -u)}
plugins=${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins
mirror=${WEIR_DEBIAN_MIRROR:-http://deb.debian.org/debian}
least_compose=2.24.4 least_engine=20.10.0

say() { printf 'engine: %s\n' "$*"; }
give_up() { say "no engine: $*"; exit 3; }
is_root() { [ "$(id -u)" = 0 ]; }
# Whether version $1 is at least $2; "2.26.1-4" and "v2.26.1" count as 2.26.1.
at_least() { [ "$(printf '%s\n%s\n' "$2" "${1#v}" | sort -V | head -n1)" = "$2" ]; }
compose_version() { docker compose version --short 2>/dev/null; }
engine_version() { timeout 20 docker version --format '{{.Server.Version}}' 2>/dev/null; }
has_compose() { local v; v=$(compose_version) && [ -n "$v" ] && at_least "$v" "$least_compose"; }
has_engine() { local v; v=$(engine_version) && [ -n "$v" ]; }

apt_install() { # PACKAGE...
  is_root && command -v apt-get >/dev/null || return 1
  { apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } >"$state/apt.log" 2>&1
}

# Compose 2.26 and buildx from Debian 13, taken out of their packages: Debian 12 has Compose 1 only, and their binaries need no
# other package. apt fetches them under a configuration of its own, so signatures are checked and this machine's sources stay.
fetch_plugins() {
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
  local root=$state/apt keyring=/usr/share/keyrings/debian-archive-keyring.gpg package deb
  [ -r "$keyring" ] || return 1
  mkdir -p "$root"/{lists/partial,archives/partial,unpacked} "$plugins" || return 1
  # apt reads indexes as a user of its own, who has to get this far.
  chmod 755 "$state" "$root"
  echo "deb [signed-by=$keyring] $mirror trixie main" >"$root/sources.list"
  local settings=(-o Dir::Etc::SourceList="$root/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$root/lists"
    -o Dir::Cache::Archives="$root/archives" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
  apt-get "${settings[@]}" update -qq >"$state/apt.log" 2>&1 || return 1
  for package in docker-compose docker-buildx; do
    (cd "$root/archives" && apt-get "${settings[@]}" download "$package") >>"$state/apt.log" 2>&1 || return 1
    deb=$(ls -t "$root/archives/$package"_*.deb | head -n1)
    dpkg-deb -x "$deb" "$root/unpacked" && find "$root/unpacked" -path '*cli-plugins*' -type f -exec cp {} "$plugins/" \; || return 1
  done
  chmod 755 "$plugins"/docker-*
  rm -rf "$root"
}

start_engine() {
  command -v dockerd >/dev/null || { say "installing docker.io"; apt_install docker.io iptables || return 1; }
  command -v dockerd >/dev/null && is_root || return 1
  has_engine && return 0 # the package may have started it as a service
  local driver
  for driver in overlay2 vfs; do
    # A session of its own: the engine outlives an interrupted test run until `stop`.
    setsid dockerd --storage-driver "$driver" --pidfile "$state/dockerd.pid" >"$state/dockerd.log" 2>&1 </dev/null &
    for _ in $(seq 120); do
      has_engine && { say "started dockerd ($driver), log $state/dockerd.log"; return 0; }
      kill -0 $! 2>/dev/null || break
      sleep 0.5
    done
    stop_engine
  done
  say "dockerd does not start: $(grep -aoE 'failed to start daemon.*|level=(fatal|error).*' "$state/dockerd.log" | tail -n1)"
  return 1
}

stop_engine() {
  local pid
  pid=$(cat "$state/dockerd.pid" 2>/dev/null) || return 0
  # The number may be another program's by now.
  [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ] || { rm -f "$state/dockerd.pid"; return 0; }
  kill "$pid"
  for _ in $(seq 120); do kill -0 "$pid" 2>/dev/null || break; sleep 0.5; done
  kill -0 "$pid" 2>/dev/null && { say "dockerd ($pid) does not end"; return 1; }
  rm -f "$state/dockerd.pid"
  say "stopped the dockerd that was started for the tests"
}

describe() {
  local engine compose
  engine=$(engine_version) compose=$(compose_version)
  say "Docker ${engine:-none}, Compose ${compose:-none}"
  [ -n "$engine" ] && has_compose || return 3
}

start() {
  mkdir -p "$state" || give_up "cannot write to $state"
  if ! command -v docker >/dev/null; then
    say "installing docker.io"
    apt_install docker.io iptables || give_up "Docker is not installed, and this machine cannot install it (root and apt are needed; see $state/apt.log)"
  fi
  if ! has_engine; then
    if [ -n "${DOCKER_HOST:-}" ]; then give_up "DOCKER_HOST=$DOCKER_HOST does not answer"; fi
    is_root || give_up "the Docker engine does not answer, and only root can start one"
    start_engine || give_up "the Docker engine cannot be started here; see $state/dockerd.log"
  fi
  local engine
  engine=$(engine_version)
  at_least "$engine" "$least_engine" || give_up "Docker $engine is older than $least_engine"
  if ! has_compose; then
    say "fetching Compose ($least_compose or later is needed) into $plugins"
    apt_install docker-compose-v2 >/dev/null 2>&1 || true # Ubuntu's name
    has_compose || fetch_plugins || true
    has_compose || give_up "Docker Compose $least_compose or later is needed and cannot be fetched; see $state/apt.log"
  fi
  describe
}

case ${1:-} in
  start) start ;;
  stop) stop_engine ;;
  status) describe ;;
  *) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
