#!/usr/bin/env bash
# Brings Afín up in a local cluster, with PostgreSQL, S3 and a made-up source, runs both pipelines and prints a
# recommendation; run again, it rolls out what changed.
#   deploy/k8s/up.sh kind|kind-access|kind-dask|minikube
# DRY_RUN=1 only prints the steps on a new cluster. Needs Docker, kubectl, and kind or minikube.
set -euo pipefail
cd "$(dirname "$0")/../.."

step() { # COMMAND...: prints and runs it
  printf '+ %s\n' "$*"
  [[ -n ${DRY_RUN:-} ]] || "$@"
}

needs() { # COMMAND...: all must be there
  for command in "$@"; do
    [[ -n ${DRY_RUN:-} ]] || command -v "$command" > /dev/null || { echo "up.sh needs $command" >&2; exit 1; }
  done
}

there() { # COMMAND...: whether it succeeds; on a new cluster nothing is there
  [[ -z ${DRY_RUN:-} ]] && "$@" > /dev/null 2>&1
}

cluster=${1:-}
case $cluster in
  kind | kind-access | kind-dask)
    needs docker kubectl kind
    export CONTEXT=kind-afin
    there kind export kubeconfig --name afin || step kind create cluster --name afin --wait 2m
    load=(kind load docker-image --name afin)
    ;;
  minikube)
    needs docker kubectl minikube
    export CONTEXT=afin
    # Calico, for network policies are to be enforced; metrics, for the autoscaler.
    there minikube status --profile afin \
      || step minikube start --profile afin --cni calico --addons metrics-server
    load=(minikube --profile afin image load)
    ;;
  *)
    echo "usage: deploy/k8s/up.sh kind|kind-access|kind-dask|minikube" >&2
    exit 2
    ;;
esac
kubectl=(kubectl --context "$CONTEXT")

images=(ingest warehouse indexer recommender console source)
if [[ $cluster == kind-dask ]]; then
  images+=(dask)
fi
step deploy/build-images.sh "${images[@]}"
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
for image in "${images[@]}"; do
  step "${load[@]}" "afin/$image:$version"
done
step deploy/create-secrets.sh deploy/k8s/components/small-cluster/secrets
if [[ $cluster == kind-access ]]; then
  access=deploy/k8s/components/access/secrets
  step deploy/create-access.sh $access
  export CA_FILE=$access/ca.crt API_KEY_FILE=$access/admin_api_key
fi

restart=false
if there "${kubectl[@]}" get namespace afin; then
  # The tag stays, the image behind it does not; and a Job cannot be changed, only made anew.
  restart=true
  step "${kubectl[@]}" --namespace afin delete job accounts migrate --ignore-not-found
fi
step "${kubectl[@]}" apply --kustomize "deploy/k8s/overlays/$cluster"
if $restart; then
  step "${kubectl[@]}" --namespace afin rollout restart deployment
fi
step "${kubectl[@]}" --namespace afin wait --for=condition=complete --timeout=10m job/accounts job/migrate
for deployment in source warehouse indexer ingest; do
  step "${kubectl[@]}" --namespace afin rollout status --timeout=10m "deployment/$deployment"
done
step deploy/k8s/trigger.sh companies
step deploy/k8s/trigger.sh recommendations
step deploy/k8s/recommend.sh
echo "Afín runs in the namespace afin of context $CONTEXT."
