#!/usr/bin/env bash
# Builds afin/<service>:<version> for each service named, or for all but dask, and says how large each is.
#   deploy/build-images.sh [ingest|warehouse|indexer|recommender|console|source|dask]...
# BUILDER: docker (unless set), podman or buildah. BASE: another base image, e.g. python@sha256:…
# BUILD_BASE: what it is built in, where BASE has no compiler's ground. BUILD_OPTIONS: more words for the builder.
# Podman and buildah make the same layers of the same commit and base. Docker does with containerd's image store and
#   BUILD_OPTIONS='--output type=image,rewrite-timestamp=true'
set -euo pipefail
cd "$(dirname "$0")/.."

services=("$@")
if [[ $# -eq 0 ]]; then
  services=(ingest warehouse indexer recommender console source)
fi
builder=${BUILDER:-docker}
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
revision=$(git rev-parse HEAD)
if [[ -n $(git status --porcelain) ]]; then
  revision="dirty-$revision"
fi
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH

read -r -a options <<< "${BUILD_OPTIONS:-}"
for name in BASE BUILD_BASE; do
  [[ -z ${!name:-} ]] || options+=(--build-arg "$name=${!name}")
done
options+=(--build-arg "AFIN_VERSION=$version" --build-arg "AFIN_REVISION=$revision"
  --build-arg "SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH")
if [[ $builder != docker ]]; then
  # Docker's own format has health checks and shells that ours do not use; OCI's is the one whose labels we write.
  options+=(--format oci --timestamp "$SOURCE_DATE_EPOCH")
fi

for service in "${services[@]}"; do
  "$builder" build --file deploy/Dockerfile --tag "afin/$service:$version" --build-arg SERVICE="$service" \
    "${options[@]}" .
done
