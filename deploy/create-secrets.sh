#!/usr/bin/env bash
# Makes the secrets of a compose stack or a small cluster: random, once, one file each. What is there is kept.
#   deploy/create-secrets.sh FOLDER
set -euo pipefail
umask 077

folder=${1:?usage: deploy/create-secrets.sh FOLDER}
folder=${folder%/}
if [[ -d $folder ]]; then
  echo "keeps the secrets in $folder"
  exit 0
fi

random() {
  od -A n -N 24 -t x1 /dev/urandom | tr -d ' \n'
}

login() { # USER DATABASE VARIABLE: a password, and the URL that holds it under its setting's name
  local password
  password=$(random)
  printf '%s\n' "$password" > "$draft/$1_password"
  printf 'postgresql://%s:%s@postgres:5432/%s\n' "$1" "$password" "$2" > "$draft/$3"
}

bucket_user() { # NAME ACTIONS...: credentials as the AWS tools read them; prints the same as SeaweedFS reads them
  local name=$1 secret actions
  shift
  secret=$(random)
  actions=$(printf '"%s:afin",' "$@")
  printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "afin-$name" "$secret" > "$draft/s3_$name"
  printf '{"name": "%s", "credentials": [{"accessKey": "%s", "secretKey": "%s"}], "actions": [%s]}' \
    "$name" "afin-$name" "$secret" "${actions%,}"
}

mkdir -p "$(dirname "$folder")"
draft=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$draft"' EXIT

random > "$draft/postgres_password"
login migrator afin migration_database_url
login ingest afin ingest_database_url
login warehouse afin warehouse_database_url
login indexer afin indexer_database_url
login source source source_database_url
writer=$(bucket_user writer Read Write List)
reader=$(bucket_user reader Read List)
printf '{"identities": [%s, %s]}\n' "$writer" "$reader" > "$draft/seaweedfs.json"

# The folder is closed to others; its files are not, for containers read them under user ids of their own.
chmod 444 "$draft"/*
mv "$draft" "$folder"
echo "made the secrets in $folder"
