-- Databases and logins for a PostgreSQL of our own; run by its superuser before the migrations, as often as you like:
--   psql -v secrets=/folder/of/password/files -f accounts.sql
-- The migrations create the same group roles where they do not find them, and give them their rights.
\set ON_ERROR_STOP on
\set migrator_password `cat :'secrets'/migrator_password`
\set ingest_password `cat :'secrets'/ingest_password`
\set warehouse_password `cat :'secrets'/warehouse_password`
\set indexer_password `cat :'secrets'/indexer_password`
\set source_password `cat :'secrets'/source_password`

SELECT '' IN (
    :'migrator_password', :'ingest_password', :'warehouse_password', :'indexer_password', :'source_password'
) AS incomplete \gset
\if :incomplete
    DO $$ BEGIN RAISE 'a password file is missing or empty; make the secrets first'; END $$;
\endif

SELECT format('CREATE ROLE %I', role)
FROM unnest(ARRAY[
    'afin_ingest', 'afin_warehouse', 'afin_indexer', 'migrator', 'ingest', 'warehouse', 'indexer', 'source'
]) AS role
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) \gexec

ALTER ROLE migrator LOGIN CREATEROLE PASSWORD :'migrator_password';
ALTER ROLE ingest LOGIN PASSWORD :'ingest_password';
ALTER ROLE warehouse LOGIN PASSWORD :'warehouse_password';
ALTER ROLE indexer LOGIN PASSWORD :'indexer_password';
ALTER ROLE source LOGIN PASSWORD :'source_password';
GRANT afin_ingest TO ingest;
GRANT afin_warehouse TO warehouse;
GRANT afin_indexer TO indexer;

SELECT format('CREATE DATABASE %I OWNER %I', name, owner)
FROM (VALUES ('afin', 'migrator'), ('source', 'source')) AS wanted (name, owner)
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name) \gexec
REVOKE ALL ON DATABASE afin, source FROM PUBLIC;
