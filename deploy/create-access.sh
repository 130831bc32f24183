#!/usr/bin/env bash
# Makes what callers and services of a compose stack or a small cluster show each other: an authority, a certificate for
# each service, an API key for ingest and one for you (admin_api_key). Once; what is there is kept. Needs openssl and
# `make setup`. Certificates are valid for a year: to renew, remove the folder.
#   deploy/create-access.sh FOLDER
set -euo pipefail
umask 077

folder=${1:?usage: deploy/create-access.sh FOLDER}
folder=${folder%/}
if [[ -d $folder ]]; then
  echo "keeps the keys and certificates in $folder"
  exit 0
fi
afin=$(cd "$(dirname "$0")/.." && pwd)/.venv/bin/afin

mkdir -p "$(dirname "$folder")"
draft=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$draft"' EXIT

quietly() {
  "$@" 2> "$draft/said" || { cat "$draft/said" >&2; exit 1; }
  rm "$draft/said"
}

new=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
quietly openssl req -x509 "${new[@]}" -days 365 -subj "/CN=Afin" -keyout "$draft/ca.key" -out "$draft/ca.crt"
for service in ingest warehouse indexer recommender; do
  quietly openssl req "${new[@]}" -subj "/CN=$service" -keyout "$draft/$service.key" -out "$draft/request"
  printf 'subjectAltName=DNS:%s,DNS:%s.afin,DNS:localhost,IP:127.0.0.1' "$service" "$service" > "$draft/names"
  quietly openssl x509 -req -in "$draft/request" -CA "$draft/ca.crt" -CAkey "$draft/ca.key" -CAcreateserial \
    -days 365 -extfile "$draft/names" -out "$draft/$service.crt"
done
rm "$draft"/{request,names,ca.srl}
# What admins ask it for, it asks of the warehouse.
"$afin" key new --name ingest --role admin --key-file "$draft/ingest_api_key" --keys-file "$draft/api_keys"
"$afin" key new --name admin --role admin --key-file "$draft/admin_api_key" --keys-file "$draft/api_keys"

# As with create-secrets.sh: the folder is closed, and containers read its files under user ids of their own.
chmod 444 "$draft"/*
chmod 400 "$draft/ca.key" "$draft/admin_api_key"
# Holds no key, and lines are added to it.
chmod 644 "$draft/api_keys"
mv "$draft" "$folder"
echo "made keys and certificates in $folder"
