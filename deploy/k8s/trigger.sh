#!/usr/bin/env bash
# Starts a pipeline in the cluster of the current kubectl context and follows it to its end.
#   deploy/k8s/trigger.sh companies|recommendations
# Exits with 0 when the run succeeded. Uses grpcurl, or else buf, which the development install brings.
# CA_FILE: by which authority the service is known, where it speaks TLS. API_KEY_FILE: a key that may operate.
# CERT_FILE and KEY_FILE: your certificate, where it asks for one.
# NAMESPACE: afin unless set. PORT: of this machine, for the port-forward; 50051 unless set.
set -euo pipefail

case ${1:-} in
  companies | recommendations) pipeline=PIPELINE_${1^^} ;;
  *)
    echo "usage: deploy/k8s/trigger.sh companies|recommendations" >&2
    exit 2
    ;;
esac
namespace=${NAMESPACE:-afin}
port=${PORT:-50051}
service=afin.ingest.v1.IngestService
PATH=$PATH:$(cd "$(dirname "$0")/../.." && pwd)/.venv/bin

# The key comes from a file and the environment: arguments are for all to see.
headers=$(mktemp)
trap 'rm -f "$headers"' EXIT
scheme=http buf_options=(--header "@$headers" --reflect-header '*') grpcurl_options=()
if [[ -n ${API_KEY_FILE:-} ]]; then
  API_KEY=$(cat "$API_KEY_FILE")
  export API_KEY
  printf 'authorization: Bearer %s\n' "$API_KEY" > "$headers"
  # shellcheck disable=SC2016 # grpcurl itself puts the key in
  grpcurl_options+=(-expand-headers -H 'authorization: Bearer ${API_KEY}')
fi
if [[ -n ${CA_FILE:-} ]]; then
  scheme=https
  buf_options+=(--cacert "$CA_FILE")
  grpcurl_options+=(-cacert "$CA_FILE")
else
  grpcurl_options+=(-plaintext)
fi
if [[ -n ${CERT_FILE:-} ]]; then
  buf_options+=(--cert "$CERT_FILE" --key "$KEY_FILE")
  grpcurl_options+=(-cert "$CERT_FILE" -key "$KEY_FILE")
fi

call() { # METHOD JSON
  if command -v grpcurl > /dev/null; then
    grpcurl "${grpcurl_options[@]}" -d "$2" "localhost:$port" "$service/$1"
  else
    buf curl --protocol grpc "${buf_options[@]}" --data "$2" "$scheme://localhost:$port/$service/$1"
  fi
}

field() { # NAME: its last value in the JSON on standard input
  sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" | tail -n 1
}

kubectl --namespace "$namespace" port-forward service/ingest "$port:50051" > /dev/null &
forward=$!
trap 'rm -f "$headers"; kill "$forward" 2> /dev/null || true' EXIT
for _ in {1..100}; do
  (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null && break
  kill -0 "$forward" 2> /dev/null || { echo "kubectl port-forward ended; is port $port free?" >&2; exit 1; }
  sleep 0.1
done

run_id=$(call RunPipeline "{\"pipeline\": \"$pipeline\"}" | field runId)
echo "run $run_id"
call WatchRun "{\"run_id\": \"$run_id\"}"
state=$(call GetRun "{\"run_id\": \"$run_id\"}" | sed -n 's/.*"state": *"\(RUN_STATE_[A-Z]*\)".*/\1/p')
echo "$state"
[[ $state == RUN_STATE_SUCCEEDED ]]
