#!/usr/bin/env bash
# Builds the images and starts the whole stack with Docker Compose; returns when all is healthy.
# With ACCESS=1 services speak TLS and ask for API keys: deploy/compose/access/admin_api_key is yours.
# Needs Docker Compose 2.24 or newer. Further arguments go to `docker compose up`.
set -euo pipefail
cd "$(dirname "$0")"

AFIN_REVISION=$(git rev-parse HEAD)
export AFIN_REVISION
../create-secrets.sh secrets
files=(--file compose.yaml)
if [[ -n ${ACCESS:-} ]]; then
  ../create-access.sh access
  files+=(--file access.yaml)
fi
# Built before anything starts: some containers share an image that another one builds.
docker compose "${files[@]}" build
docker compose "${files[@]}" up --detach --wait "$@"
echo "ingest 127.0.0.1:50051, warehouse :50052, indexer :50053, recommender :50054, console http://127.0.0.1:8090, Prometheus http://127.0.0.1:9090"
