#!/usr/bin/env bash
# Recommends to a client in the cluster of the current kubectl context: to the one named, or to one of the made-up source.
#   deploy/k8s/recommend.sh [CLIENT]
# What else it can be told, see calling.sh.
set -euo pipefail
# shellcheck source=deploy/k8s/calling.sh
. "$(dirname "$0")/calling.sh"
port=${PORT:-50054}
service=afin.recommender.v1.RecommenderService

somebody='
import json, urllib.request
with urllib.request.urlopen("http://127.0.0.1:8080/payments?updated_at=2020-01-01&limit=1", timeout=30) as answer:
    print(json.load(answer)[0]["external_client_id"])
'
client=${1:-$("${kubectl[@]}" exec deployment/source --container source -- python -c "$somebody")}
# Ready is who has loaded an index: a few seconds after the first is published.
"${kubectl[@]}" rollout status --timeout=5m deployment/recommender
forward_to recommender "$port" 50054
call "$port" $service/Recommend "{\"client_id\": \"$client\", \"max_results\": 5, \"with_reasons\": true}"
recipe recommender "$port" 50054 $service/Recommend '{"client_id": "CLIENT", "max_results": 5}'
