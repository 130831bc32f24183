"""Schema `warehouse`: versions of payments and companies, loads, watermarks, and the views that the indexer reads.

Keys are compared by bytes (COLLATE "C"), so that every database orders them alike, and fast.
"""

from alembic import op

revision = "0003"
down_revision = "0002"

# The last four constraints leave a key no gap, no overlap and one current version: each version that ends must end
# where another starts, no two may end at the same moment, and only one may be open. Deferred, for a load rebuilds
# the chain of a key in several statements. The room in each page (fillfactor) is for closing versions in place.
PAYMENTS = """
CREATE TABLE warehouse.payments (
    payment_id text COLLATE "C" NOT NULL,
    company_code text COLLATE "C" NOT NULL,
    payment_at timestamptz,
    status text COLLATE "C" NOT NULL,
    amount numeric(18, 2) NOT NULL,
    external_client_id text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    start_date timestamptz NOT NULL,
    end_date timestamptz,
    is_current boolean NOT NULL,
    recorded_at timestamptz NOT NULL,
    load_id text NOT NULL,
    PRIMARY KEY (payment_id, company_code, start_date),
    CONSTRAINT payments_one_end UNIQUE NULLS NOT DISTINCT (payment_id, company_code, end_date)
        DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT payments_no_gap FOREIGN KEY (payment_id, company_code, end_date)
        REFERENCES warehouse.payments (payment_id, company_code, start_date) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT payments_ends_after_start CHECK (end_date > start_date),
    CONSTRAINT payments_current_is_open CHECK (is_current = (end_date IS NULL))
) WITH (fillfactor = 80)
"""
PAYMENTS_COMMENT = """
COMMENT ON COLUMN warehouse.payments.updated_at IS
    'As observed. start_date is the same but for ties of one key, where each later read starts a microsecond later.'
"""
PAYMENTS_BY_CLIENT = "CREATE INDEX payments_by_client ON warehouse.payments (external_client_id)"
# For scans over a range of time: small, and enough where rows come roughly in order.
PAYMENTS_BY_TIME = (
    "CREATE INDEX payments_by_time ON warehouse.payments USING brin (created_at, start_date, recorded_at)"
)
# An observation that repeats the attributes before it is no version, yet decides where one starts when a late row
# comes between. Its attributes are those of the version that covers it.
CONFIRMATIONS = """
CREATE TABLE warehouse.payment_confirmations (
    payment_id text COLLATE "C" NOT NULL,
    company_code text COLLATE "C" NOT NULL,
    observed_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    load_id text NOT NULL,
    PRIMARY KEY (payment_id, company_code, observed_at)
)
"""
COMPANIES = """
CREATE TABLE warehouse.companies (
    company_code text COLLATE "C" NOT NULL,
    company_id bigint NOT NULL,
    company_name text NOT NULL,
    category_id bigint,
    category_name text,
    is_top_biller boolean,
    is_retired boolean NOT NULL,
    start_date timestamptz NOT NULL,
    end_date timestamptz,
    is_current boolean NOT NULL,
    recorded_at timestamptz NOT NULL,
    load_id text NOT NULL,
    PRIMARY KEY (company_code, start_date),
    CONSTRAINT companies_one_end UNIQUE NULLS NOT DISTINCT (company_code, end_date) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT companies_no_gap FOREIGN KEY (company_code, end_date)
        REFERENCES warehouse.companies (company_code, start_date) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT companies_ends_after_start CHECK (end_date > start_date),
    CONSTRAINT companies_current_is_open CHECK (is_current = (end_date IS NULL))
)
"""
LOADS = """
CREATE TABLE warehouse.loads (
    load_id text COLLATE "C" PRIMARY KEY,
    dataset text NOT NULL CHECK (dataset IN ('payments', 'companies')),
    manifest_key text NOT NULL,
    manifest_sha256 text NOT NULL,
    source_time timestamptz NOT NULL,
    row_count bigint NOT NULL,
    new_count bigint NOT NULL,
    changed_count bigint NOT NULL,
    unchanged_count bigint NOT NULL,
    late_count bigint NOT NULL,
    retired_count bigint NOT NULL,
    watermark timestamptz,
    committed_at timestamptz NOT NULL,
    CHECK (row_count = new_count + changed_count + unchanged_count + late_count)
)
"""
WATERMARKS = """
CREATE TABLE warehouse.watermarks (
    dataset text PRIMARY KEY CHECK (dataset IN ('payments', 'companies')),
    value timestamptz NOT NULL,
    load_id text COLLATE "C" NOT NULL REFERENCES warehouse.loads
)
"""
TRAINING_PAYMENTS = """
CREATE VIEW warehouse.training_payments AS
SELECT external_client_id, company_code, payment_id, payment_at, created_at, amount, status
FROM warehouse.payments
WHERE is_current AND payment_at IS NOT NULL
"""
TRAINING_COMPANIES = """
CREATE VIEW warehouse.training_companies AS
SELECT company_id, company_code, company_name, category_id, category_name, is_top_biller, is_retired
FROM warehouse.companies
WHERE is_current
"""
PUBLISHED_WATERMARK = "CREATE VIEW warehouse.published_watermark AS SELECT dataset, value FROM warehouse.watermarks"
GRANTS = (
    "GRANT SELECT, INSERT, UPDATE, DELETE ON warehouse.payments, warehouse.payment_confirmations TO afin_warehouse",
    "GRANT SELECT, INSERT, UPDATE ON warehouse.companies, warehouse.watermarks TO afin_warehouse",
    "GRANT SELECT, INSERT ON warehouse.loads TO afin_warehouse",
    "GRANT SELECT ON warehouse.training_payments TO afin_warehouse",
    "GRANT SELECT ON warehouse.training_payments, warehouse.training_companies TO afin_indexer",
    "GRANT SELECT ON warehouse.published_watermark TO afin_indexer",
)


def upgrade() -> None:
    """Makes tables and views, and grants each role what its service does, no more."""
    tables = (PAYMENTS, PAYMENTS_COMMENT, PAYMENTS_BY_CLIENT, PAYMENTS_BY_TIME, CONFIRMATIONS)
    views = (TRAINING_PAYMENTS, TRAINING_COMPANIES, PUBLISHED_WATERMARK)
    for statement in (*tables, COMPANIES, LOADS, WATERMARKS, *views, *GRANTS):
        op.execute(statement)
