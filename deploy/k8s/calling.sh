# shellcheck shell=bash
# How trigger.sh and recommend.sh call a service of the cluster; they source it.
# CA_FILE: by which authority services are known, where they speak TLS. CERT_FILE and KEY_FILE: your certificate, where
# they ask for one. API_KEY_FILE: a key that may do what you ask for. NAMESPACE: afin unless set. CONTEXT: of kubectl.
# PORT: of this machine, for the port-forward; the service's own unless set.
namespace=${NAMESPACE:-afin}
kubectl=(kubectl ${CONTEXT:+--context "$CONTEXT"} --namespace "$namespace")
PATH=$PATH:$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/.venv/bin

# The key comes from a file and the environment: arguments are for all to see.
headers=$(mktemp)
forward=""
trap 'rm -f "$headers"; [[ -z $forward ]] || kill "$forward" 2> /dev/null || true' EXIT
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
  buf_options+=(--http2-prior-knowledge)
  grpcurl_options+=(-plaintext)
fi
if [[ -n ${CERT_FILE:-} ]]; then
  buf_options+=(--cert "$CERT_FILE" --key "$KEY_FILE")
  grpcurl_options+=(-cert "$CERT_FILE" -key "$KEY_FILE")
fi

forward_to() { # SERVICE PORT REMOTE: this machine's port leads to that of the service until the script ends
  "${kubectl[@]}" port-forward "service/$1" "$2:$3" > /dev/null &
  forward=$!
  for _ in {1..100}; do
    (exec 3<> "/dev/tcp/127.0.0.1/$2") 2> /dev/null && return
    kill -0 "$forward" 2> /dev/null || break
    sleep 0.1
  done
  echo "kubectl port-forward service/$1 did not come up; is port $2 of this machine free?" >&2
  return 1
}

call() { # PORT SERVICE/METHOD JSON
  if command -v grpcurl > /dev/null; then
    grpcurl "${grpcurl_options[@]}" -d "$3" "localhost:$1" "$2"
  else
    buf curl --protocol grpc "${buf_options[@]}" --data "$3" "$scheme://localhost:$1/$2"
  fi
}

recipe() { # SERVICE PORT REMOTE SERVICE/METHOD JSON: how to do the same by hand
  printf 'By hand:\n  %s port-forward service/%s %s:%s &\n' "${kubectl[*]}" "$1" "$2" "$3"
  printf "  grpcurl %s -d '%s' localhost:%s %s\n" "${grpcurl_options[*]}" "$5" "$2" "$4"
}
