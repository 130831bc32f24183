#!/usr/bin/env bash
# Brings Afín up in a local cluster, with PostgreSQL, S3 and a made-up source; run again, it rolls out what changed.
#   deploy/k8s/up.sh kind|kind-access|kind-dask|minikube
set -euo pipefail
cd "$(dirname "$0")/../.."

cluster=${1:-}
case $cluster in
  kind | kind-access | kind-dask)
    kind get clusters | grep --quiet --line-regexp afin || kind create cluster --name afin --wait 2m
    kubectl=(kubectl --context kind-afin)
    load=(kind load docker-image --name afin)
    ;;
  minikube)
    minikube status --profile afin > /dev/null || minikube start --profile afin --addons metrics-server
    kubectl=(kubectl --context afin)
    load=(minikube --profile afin image load)
    ;;
  *)
    echo "usage: deploy/k8s/up.sh kind|kind-access|kind-dask|minikube" >&2
    exit 2
    ;;
esac

images=(ingest warehouse indexer recommender demo)
if [[ $cluster == kind-dask ]]; then
  images+=(dask)
fi
deploy/build-images.sh "${images[@]}"
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
for image in "${images[@]}"; do
  "${load[@]}" "afin/$image:$version"
done
deploy/create-secrets.sh deploy/k8s/components/small-cluster/secrets
if [[ $cluster == kind-access ]]; then
  deploy/create-access.sh deploy/k8s/components/access/secrets
fi

restart=false
if "${kubectl[@]}" get namespace afin > /dev/null 2>&1; then
  # The tag stays, the image behind it does not; and a Job cannot be changed, only made anew.
  restart=true
  "${kubectl[@]}" --namespace afin delete job accounts migrate --ignore-not-found
fi
"${kubectl[@]}" apply --kustomize "deploy/k8s/overlays/$cluster"
if $restart; then
  "${kubectl[@]}" --namespace afin rollout restart deployment
fi
"${kubectl[@]}" --namespace afin wait --for=condition=complete --timeout=10m job/accounts job/migrate
for deployment in source warehouse indexer ingest; do
  "${kubectl[@]}" --namespace afin rollout status --timeout=10m "deployment/$deployment"
done
echo "Afín runs in the namespace afin of context ${kubectl[2]}. The recommender is ready after the first index:"
echo "  deploy/k8s/trigger.sh companies && deploy/k8s/trigger.sh recommendations"
