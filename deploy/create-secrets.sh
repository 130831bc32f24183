#!/usr/bin/env bash
# Makes the secrets of a compose stack or a small cluster: random, once, one file each. What is there is kept.
#   deploy/create-secrets.sh FOLDER
# POSTGRES_HOST: postgres unless set. POSTGRES_OPTIONS: of its URLs, e.g. ?sslmode=require.
set -euo pipefail
umask 077

folder=${1:?usage: deploy/create-secrets.sh FOLDER}
folder=${folder%/}
if [[ -d $folder ]]; then
  if [[ ! -f $folder/s3_ingest ]]; then
    echo "$folder is of an earlier version: remove it, and the volumes of PostgreSQL and SeaweedFS that go with it" >&2
    exit 1
  fi
  echo "keeps the secrets in $folder"
  exit 0
fi

random() {
  od -A n -N 24 -t x1 /dev/urandom | tr -d ' \n'
}

login() { # USER DATABASE VARIABLE: a password, and the URL that holds it under its setting's name
  local password
  password=$(random)
  printf '%s' "$password" > "$draft/$1_password"
  printf 'postgresql://%s:%s@%s:5432/%s%s\n' "$1" "$password" "${POSTGRES_HOST:-postgres}" "$2" "${POSTGRES_OPTIONS:-}" > "$draft/$3"
}

bucket_user() { # NAME RIGHTS...: credentials as the AWS tools read them; prints the same as SeaweedFS reads them
  local name=$1 secret actions
  shift
  secret=$(random)
  actions=$(printf '"%s",' "$@")
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
# As deploy/s3 says it for S3 itself. Write lets delete, too.
bucket=${AFIN_BUCKET:-afin}
lake=("Read:$bucket/raw/*" "Read:$bucket/erasures/*")
{
  printf '{"identities": [\n'
  bucket_user ingest "List:$bucket" "${lake[@]}" "Read:$bucket/quarantine/*" \
    "Write:$bucket/raw/*" "Write:$bucket/quarantine/*" "Write:$bucket/erasures/*"
  printf ',\n'
  bucket_user warehouse "List:$bucket" "${lake[@]}"
  printf ',\n'
  bucket_user indexer "List:$bucket" "Read:$bucket/index/*" "Write:$bucket/index/*"
  printf ',\n'
  bucket_user recommender "List:$bucket" "Read:$bucket/index/*"
  printf '\n]}\n'
} > "$draft/seaweedfs.json"

# The folder is closed to others; its files are not, for containers read them under user ids of their own.
chmod 444 "$draft"/*
mv "$draft" "$folder"
echo "made the secrets in $folder"
