"""Erasures of clients: a record of each in the warehouse, a salt and a pipeline in ingest. No client's id anywhere."""

from alembic import op

revision = "0004"
down_revision = "0003"

# No foreign key to ingest's runs: a warehouse can be built anew without them.
ERASURES = """
CREATE TABLE warehouse.erasures (
    erasure_id text COLLATE "C" PRIMARY KEY,
    versions bigint NOT NULL,
    confirmations bigint NOT NULL,
    erased_at timestamptz NOT NULL
)
"""
# Of this database alone: 244 random bits, made once.
SALT = """
CREATE TABLE ingest.erasure_salt AS SELECT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) AS salt
"""
PIPELINES = "ALTER TABLE ingest.runs DROP CONSTRAINT runs_pipeline_check, ADD CONSTRAINT runs_pipeline_check "
NAMES = "CHECK (pipeline IN ('companies', 'recommendations', 'backfill', 'erasure'))"
# Erasures of several clients queue; they never run at once, for each has the house to itself.
ONE_ACTIVE_RUN = """
CREATE UNIQUE INDEX one_active_run ON ingest.runs (pipeline)
WHERE state IN ('queued', 'running') AND pipeline <> 'erasure'
"""
GRANTS = (
    "GRANT SELECT, INSERT, UPDATE ON warehouse.erasures TO afin_warehouse",
    "GRANT UPDATE (manifest_key, manifest_sha256) ON warehouse.loads TO afin_warehouse",
    "GRANT SELECT ON ingest.erasure_salt TO afin_ingest",
)


def upgrade() -> None:
    """Adds what erasures need, and lets more than one of them be queued."""
    tables = (ERASURES, SALT, PIPELINES + NAMES, "DROP INDEX ingest.one_active_run", ONE_ACTIVE_RUN)
    for statement in (*tables, *GRANTS):
        op.execute(statement)
