#!/usr/bin/env bash
# Makes what `python -m tests.containers` runs: base images from Debian's packages, and the suite's own on top of them.
set -euo pipefail
cd "$(dirname "$0")/../.."

for tool in podman mmdebstrap; do
  command -v "$tool" > /dev/null || {
    echo "container-test: needs $tool; on Debian: apt-get install podman runc netavark aardvark-dns mmdebstrap" >&2
    exit 1
  }
done
[[ $(id -u) == 0 ]] || {
  echo "container-test: needs root, for networks and limits" >&2
  exit 1
}

tests/containers/standins/bases.sh
options=(--network host --volume /etc/ssl/certs:/etc/ssl/certs:ro)
if [[ -r /etc/pip.conf ]]; then
  options+=(--volume /etc/pip.conf:/etc/pip.conf:ro)
fi
BUILDER=podman BASE=localhost/afin-standin/python:local BUILD_BASE=localhost/afin-standin/python-build:local \
  BUILD_OPTIONS="${options[*]}" deploy/build-images.sh
deploy/create-secrets.sh deploy/compose/secrets
