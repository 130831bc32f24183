"""Reports of reconciliations, and the pipelines `replay` and `reconcile`."""

from alembic import op

revision = "0008"
down_revision = "0007"

RECONCILIATIONS = """
CREATE TABLE warehouse.reconciliations (
    load_id text COLLATE "C" PRIMARY KEY REFERENCES warehouse.loads,
    begun_sequence bigint NOT NULL,
    compared_count bigint NOT NULL,
    missing_count bigint NOT NULL,
    listed_count bigint NOT NULL,
    reported_at timestamptz NOT NULL,
    CHECK (listed_count <= missing_count AND missing_count <= compared_count)
)
"""
# Keys alone: a report outlives the erasure of a client.
MISSING_PAYMENTS = """
CREATE TABLE warehouse.missing_payments (
    load_id text COLLATE "C" NOT NULL REFERENCES warehouse.reconciliations ON DELETE CASCADE,
    payment_id text COLLATE "C" NOT NULL,
    company_code text COLLATE "C" NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (load_id, payment_id, company_code)
)
"""
GRANTS = (
    "GRANT SELECT, INSERT, DELETE ON warehouse.reconciliations TO afin_warehouse",
    "GRANT SELECT, INSERT ON warehouse.missing_payments TO afin_warehouse",
)
PIPELINES = """
ALTER TABLE ingest.runs DROP CONSTRAINT runs_pipeline_check, ADD CONSTRAINT runs_pipeline_check
CHECK (pipeline IN ('companies', 'recommendations', 'backfill', 'erasure', 'replay', 'reconcile'))
"""


def upgrade() -> None:
    """Makes the tables of reports, and lets runs be of the new pipelines."""
    for statement in (RECONCILIATIONS, MISSING_PAYMENTS, *GRANTS, PIPELINES):
        op.execute(statement)
