#!/usr/bin/env bash
# Builds the images and starts the whole stack with Docker Compose; returns when all is healthy.
# Needs Docker Compose 2.24 or newer. Further arguments go to `docker compose up`.
set -euo pipefail
cd "$(dirname "$0")"

AFIN_REVISION=$(git rev-parse HEAD)
export AFIN_REVISION
../create-secrets.sh secrets
# Built before anything starts: some containers share an image that another one builds.
docker compose build
docker compose up --detach --wait "$@"
echo "ingest 127.0.0.1:50051, warehouse :50052, indexer :50053, recommender :50054, Prometheus http://127.0.0.1:9090"
