#!/usr/bin/env bash
# Sees to it that every official image that the Compose files and Dockerfiles name is there. An image is pulled where a registry
# can be reached. Only where it cannot, a stand-in of the same name is built from Debian packages (and the .NET SDK of this
# machine), with the user, paths, variables and entrypoint of the official one, and a label that says so.
#   tests/stack/standins.sh          what is missing, says what each image is
#   tests/stack/standins.sh remove   removes every stand-in and their bases
# Exits 0 when all images are there, 4 when only images that have no stand-in (Grafana) are missing, 1 when one could not be built.
set -uo pipefail
cd "$(dirname "$0")/standins" || exit 2
root=$(cd ../../.. && pwd)
mirror=${WEIR_DEBIAN_MIRROR:-http://deb.debian.org/debian}
label=org.weir.standin

say() { printf 'images: %s\n' "$*"; }

# Every official image named outside of comments, with the version that is the default there.
wanted() {
  local files=("$root"/compose*.yaml "$root"/Dockerfile "$root"/samples/*/Dockerfile)
  local names='(redis|postgres|haproxy|nginx|prom/prometheus|grafana/grafana|mcr\.microsoft\.com/dotnet/(sdk|aspnet|runtime))' dotnet
  dotnet=$(sed -n 's/^ARG DOTNET_VERSION=//p' "$root/Dockerfile" 2>/dev/null | head -n1)
  sed -E "s/^[[:space:]]*#.*//; s/\\$\{[A-Z_]+:-([^}]*)\}/\1/g; s/\\$\{?DOTNET_VERSION\}?/${dotnet:-10.0}/g" "${files[@]}" 2>/dev/null |
    grep -E '^[[:space:]]*(image:|FROM )' | grep -oE "(^|[[:space:]\"'])$names:[0-9v][A-Za-z0-9._-]*" | sed -E 's/^[^a-z]//' | sort -u
}

# What stands in for an image: folder, Debian release it comes from, and what it really is.
recipe() {
  case $1 in
    redis:7*) echo "redis bookworm Redis 7.0 of Debian 12" ;;
    postgres:1[56]*) echo "postgres bookworm PostgreSQL 15 of Debian 12 (Debian has no 16)" ;;
    haproxy:3*) echo "haproxy forky HAProxy 3.2 of Debian 14" ;;
    nginx:1.*) echo "nginx forky nginx 1.30 of Debian 14" ;;
    prom/prometheus:v3*) echo "prometheus forky Prometheus 3.5 of Debian 14" ;;
    mcr.microsoft.com/dotnet/sdk:10*) echo "dotnet:sdk bookworm the .NET SDK of this machine on Debian 12" ;;
    mcr.microsoft.com/dotnet/aspnet:10*) echo "dotnet:aspnet bookworm the ASP.NET Core runtime of this machine on Debian 12" ;;
  esac
}

label_of() { docker image inspect --format "{{index .Config.Labels \"$label\"}}" "$1" 2>/dev/null; }

# A base image per Debian release: minbase, nothing else.
base() { # RELEASE
  local name=weir-standin-base:$1 folder script=
  docker image inspect "$name" >/dev/null 2>&1 && return
  command -v debootstrap >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap; } >/dev/null 2>&1
  command -v debootstrap >/dev/null || { say "debootstrap is missing and cannot be installed"; return 1; }
  # An older debootstrap does not know the newest release by name; all use the same script.
  [ -e "/usr/share/debootstrap/scripts/$1" ] || script=/usr/share/debootstrap/scripts/sid
  folder=$(mktemp -d /var/tmp/weir-base.XXXXXX)
  bases+=("$folder")
  say "fetching the base of Debian $1 (a few minutes, once)"
  if debootstrap --variant=minbase "$1" "$folder/root" "$mirror" $script >"$folder/log" 2>&1; then
    # Mirrors may be snapshots of an earlier day.
    printf 'Acquire::Check-Valid-Until "false";\nAcquire::Check-Date "false";\nAcquire::Retries "3";\n' >"$folder/root/etc/apt/apt.conf.d/90snapshot"
    # An image that breaks off is built anew; nothing has to survive a power cut.
    echo force-unsafe-io >"$folder/root/etc/dpkg/dpkg.cfg.d/90unsafe-io"
    tar -C "$folder/root" -c . | docker import --change "LABEL $label=base" - "$name" >/dev/null
  else
    tail -n 5 "$folder/log"
    say "debootstrap of $1 failed"
    return 1
  fi
}

build() { # IMAGE FOLDER[:TARGET] RELEASE WHAT HASH
  local image=$1 folder=${2%%:*} target=${2#*:} release=$3 what=$4 hash=$5 context dotnet log
  base "$release" || return 1
  local arguments=(--file "$folder/Dockerfile" --network host --build-arg "BASE=weir-standin-base:$release" --label "$label=$what" --label "$label.recipe=$hash" --tag "$image")
  context=$folder
  if [ "$folder" = dotnet ]; then
    # As it says itself: what the PATH finds may be a script that starts it.
    dotnet=$(dotnet --list-sdks | sed -n 's|^10\..*\[\(.*\)/sdk\]$|\1|p' | tail -n1)
    context=$(mktemp -d /var/tmp/weir-base.XXXXXX)
    bases+=("$context")
    cp -al "$dotnet" "$context/dotnet" 2>/dev/null || cp -a "$dotnet" "$context/dotnet"
    cp /etc/ssl/certs/ca-certificates.crt "$context/" || return 1
    arguments+=(--target "$target" --build-arg "NUGET_CERT_REVOCATION_MODE=${NUGET_CERT_REVOCATION_MODE:-online}")
  fi
  log=$(mktemp)
  say "building a stand-in for $image: $what"
  if ! docker build "${arguments[@]}" "$context" >"$log" 2>&1; then
    tail -n 20 "$log"
    rm -f "$log"
    say "the stand-in for $image could not be built"
    return 1
  fi
  rm -f "$log"
}

remove() {
  local ids
  ids=$(docker image ls --filter "label=$label" --format '{{.Repository}}:{{.Tag}}')
  # shellcheck disable=SC2086 # several names
  [ -z "$ids" ] || docker image rm $ids >/dev/null
}

ensure() { # IMAGE
  local image=$1 is folder release what hash
  read -r folder release what <<<"$(recipe "$image")"
  is=$(label_of "$image")
  if docker image inspect "$image" >/dev/null 2>&1 && [ -z "$is" ]; then say "$image is there"; return; fi
  if [ -z "$is" ]; then
    if timeout "${WEIR_PULL_SECONDS:-600}" docker pull --quiet "$image" >/dev/null 2>&1; then say "$image was pulled"; return; fi
  fi
  if [ -z "${folder:-}" ]; then say "$image cannot be pulled and has no stand-in"; return 4; fi
  hash=$({ cat "${folder%%:*}"/*; [ "${folder%%:*}" = dotnet ] && dotnet --version; } | sha256sum | cut -c1-16)
  if [ "$(docker image inspect --format "{{index .Config.Labels \"$label.recipe\"}}" "$image" 2>/dev/null)" != "$hash" ]; then
    build "$image" "$folder" "$release" "$what" "$hash" || return 1
  fi
  say "$image is a STAND-IN: $what"
}

bases=()
trap 'rm -rf "${bases[@]}"' EXIT
trap 'exit 130' INT TERM
docker version >/dev/null 2>&1 || { say "no engine answers; run tests/stack/engine.sh start"; exit 1; }
case ${1:-} in
  '') ;;
  remove) remove; exit ;;
  *) sed -n "2,7s/^# \{0,1\}//p" ../standins.sh; exit 2 ;;
esac
result=0
list=${WEIR_IMAGES:-$(wanted)}
[ -n "$list" ] || { say "no Compose file names an official image"; exit 1; }
for image in $list; do
  ensure "$image"
  case $? in 0) ;; 4) [ $result = 0 ] && result=4 ;; *) result=1 ;; esac
done
exit $result
