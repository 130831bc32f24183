"""The indexer sees whose payments changed since a place of the ledger, and which companies were merged into others."""

from alembic import op

revision = "0011"
down_revision = "0010"

# Of versions that a load brought, the clients of all versions of the same keys: a payment may have been another's.
# `recorded_at` is the load's committed_at; who asks for it finds the rows through payments_by_time.
CHANGED_BY_LOADS = """
CREATE VIEW warehouse.changed_by_loads AS
SELECT l.sequence, n.recorded_at, p.external_client_id
FROM warehouse.payments AS n
JOIN warehouse.loads AS l USING (load_id)
JOIN warehouse.payments AS p USING (payment_id, company_code)
"""
PUBLISHED_LOADS = """
CREATE VIEW warehouse.published_loads AS SELECT sequence, load_id, dataset, committed_at FROM warehouse.loads
"""
# What an erasure leaves of payments that were the erased client's keeps its stamps: nothing else tells of the change.
# Of clients who have payments left, those that were erased are not among them.
ERASURE_CHANGES = """
CREATE TABLE warehouse.erasure_changes (
    erasure_id text COLLATE "C" NOT NULL,
    external_client_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (erasure_id, external_client_id)
)
"""
CHANGED_BY_ERASURES = """
CREATE VIEW warehouse.changed_by_erasures AS SELECT erasure_id, external_client_id FROM warehouse.erasure_changes
"""
# One of the listed codes of a company_id is the company: that which has had the id for longest. Where a code gave way
# to it, `successor_code` names it.
TRAINING_COMPANIES = """
CREATE OR REPLACE VIEW warehouse.training_companies AS
WITH held AS (
    SELECT company_code, company_id, min(start_date) AS since FROM warehouse.companies GROUP BY company_code, company_id
), successors AS (
    SELECT DISTINCT ON (company_id) company_id, company_code AS successor_code
    FROM warehouse.companies JOIN held USING (company_code, company_id)
    WHERE is_current AND NOT is_retired
    ORDER BY company_id, since, company_code
)
SELECT company_id, company_code, company_name, category_id, category_name, is_top_biller, is_retired,
    nullif(successor_code, company_code) AS successor_code
FROM warehouse.companies LEFT JOIN successors USING (company_id)
WHERE is_current
"""
GRANTS = (
    "GRANT SELECT ON warehouse.changed_by_loads, warehouse.changed_by_erasures TO afin_indexer",
    "GRANT SELECT ON warehouse.published_loads TO afin_indexer",
    "GRANT SELECT, INSERT, DELETE ON warehouse.erasure_changes TO afin_warehouse",
)


def upgrade() -> None:
    """Makes table and views."""
    made = (CHANGED_BY_LOADS, PUBLISHED_LOADS, ERASURE_CHANGES, CHANGED_BY_ERASURES, TRAINING_COMPANIES)
    for statement in (*made, *GRANTS):
        op.execute(statement)
