#!/usr/bin/env bash
# Makes base images from Debian's packages alone, for a machine that reaches no registry of images. Needs mmdebstrap.
#   tests/containers/standins/bases.sh [python|python-build|postgres|s3|prometheus|compose]...
# They are afin-standin/<name>:local; one that is there is kept.
# POSTGRES_SUITE: the Debian suite that PostgreSQL comes from, trixie unless set. MMDEBSTRAP_OPTIONS: more words for mmdebstrap.
set -euo pipefail
cd "$(dirname "$0")"

names=("$@")
if [[ $# -eq 0 ]]; then
  names=(python python-build postgres s3 prometheus compose)
fi
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0}
read -r -a debian_options <<< "${MMDEBSTRAP_OPTIONS:-}"
# The authorities that this machine trusts, for a registry of packages behind a proxy.
builds=(podman build --quiet --format oci --network host --volume /etc/ssl/certs:/etc/ssl/certs:ro
  --build-context project=../../..)
if [[ -r /etc/pip.conf ]]; then
  builds+=(--volume /etc/pip.conf:/etc/pip.conf:ro)
fi

debian() { # SUITE NAME PACKAGES: Debian's essential packages and these
  mmdebstrap --quiet --variant=apt --include="$3" "${debian_options[@]}" \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*/LC_MESSAGES/*.mo' "$1" - \
    | podman import --quiet - "afin-standin/$2:local" > /dev/null
}

from() { # BASE NAME: what NAME/Containerfile adds to it
  "${builds[@]}" --build-arg BASE="localhost/afin-standin/$1:local" --tag "afin-standin/$2:local" "$2" > /dev/null
}

make_one() {
  case $1 in
    python) debian bookworm python python-is-python3,ca-certificates,netbase,tzdata ;;
    python-build) need python && from python "$1" ;;
    s3) need python-build && from python-build "$1" ;;
    debian-postgres) debian "${POSTGRES_SUITE:-trixie}" "$1" postgresql,ca-certificates ;;
    compose) debian trixie compose docker-compose,ca-certificates ;;
    debian-prometheus) debian bookworm "$1" prometheus,wget,ca-certificates ;;
    postgres | prometheus) need "debian-$1" && from "debian-$1" "$1" ;;
    *)
      echo "bases.sh knows no $1" >&2
      exit 2
      ;;
  esac
}

need() { # NAME: is there afterwards
  podman image exists "afin-standin/$1:local" || {
    echo "making afin-standin/$1 from Debian's packages" >&2
    make_one "$1"
  }
}

for name in "${names[@]}"; do
  need "$name"
done
