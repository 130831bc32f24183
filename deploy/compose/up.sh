#!/usr/bin/env bash
# Builds the images, starts the whole stack with Docker Compose, runs both pipelines and prints a recommendation.
# With ACCESS=1 services speak TLS and ask for API keys: deploy/compose/access/admin_api_key is yours.
# AFIN_BUCKET: the bucket that is made and used, afin unless set.
# Needs Docker Compose 2.24 or newer. Further arguments go to `docker compose up`.
set -euo pipefail
cd "$(dirname "$0")"

../create-secrets.sh secrets
files=(--file compose.yaml)
if [[ -n ${ACCESS:-} ]]; then
  ../create-access.sh access
  files+=(--file access.yaml)
fi
BUILDER=docker ../build-images.sh
docker compose "${files[@]}" up --detach --wait "$@"
docker compose "${files[@]}" run --rm first-run
echo "ingest 127.0.0.1:50051, warehouse :50052, indexer :50053, recommender :50054,"
echo "console http://127.0.0.1:8090, Prometheus http://127.0.0.1:9090, Grafana http://127.0.0.1:3000"
