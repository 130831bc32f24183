#!/usr/bin/env bash
# Builds afin/<service>:<version> for each service named, or for all but dask.
#   deploy/build-images.sh [ingest|warehouse|indexer|recommender|console|demo|dask]...
# BUILDER: docker (unless set), podman or buildah. BASE: another base image, e.g. python@sha256:…
set -euo pipefail
cd "$(dirname "$0")/.."

services=("$@")
if [[ $# -eq 0 ]]; then
  services=(ingest warehouse indexer recommender console demo)
fi
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
revision=$(git rev-parse HEAD)
if [[ -n $(git status --porcelain) ]]; then
  revision="dirty-$revision"
fi

for service in "${services[@]}"; do
  "${BUILDER:-docker}" build --file deploy/Dockerfile --tag "afin/$service:$version" \
    --build-arg SERVICE="$service" --build-arg AFIN_REVISION="$revision" ${BASE:+--build-arg BASE="$BASE"} .
done
