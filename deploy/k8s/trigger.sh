#!/usr/bin/env bash
# Starts a pipeline in the cluster of the current kubectl context and follows it to its end.
#   deploy/k8s/trigger.sh companies|recommendations
# Exits with 0 when the run succeeded. Uses grpcurl, or else buf, which the development install brings. What else it can
# be told, see calling.sh.
set -euo pipefail

case ${1:-} in
  companies | recommendations) pipeline=PIPELINE_${1^^} ;;
  *)
    echo "usage: deploy/k8s/trigger.sh companies|recommendations" >&2
    exit 2
    ;;
esac
# shellcheck source=deploy/k8s/calling.sh
. "$(dirname "$0")/calling.sh"
port=${PORT:-50051}
service=afin.ingest.v1.IngestService

field() { # NAME: its last value in the JSON on standard input
  sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" | tail -n 1
}

forward_to ingest "$port" 50051
run_id=$(call "$port" $service/RunPipeline "{\"pipeline\": \"$pipeline\"}" | field runId)
echo "run $run_id"
call "$port" $service/WatchRun "{\"run_id\": \"$run_id\"}"
state=$(call "$port" $service/GetRun "{\"run_id\": \"$run_id\"}" | sed -n 's/.*"state": *"\(RUN_STATE_[A-Z]*\)".*/\1/p')
echo "$state"
recipe ingest "$port" 50051 $service/RunPipeline "{\"pipeline\": \"$pipeline\"}"
[[ $state == RUN_STATE_SUCCEEDED ]]
