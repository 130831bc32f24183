"""Which runs were swept, and after which of their ends: one that is retried ends again, and is swept again."""

from alembic import op

revision = "0007"
down_revision = "0006"

SWEEPS = """
CREATE TABLE ingest.sweeps (
    run_id uuid PRIMARY KEY REFERENCES ingest.runs ON DELETE CASCADE,
    ended_at timestamptz NOT NULL
)
"""
GRANT = "GRANT SELECT, INSERT, UPDATE ON ingest.sweeps TO afin_ingest"


def upgrade() -> None:
    """Makes the table."""
    op.execute(SWEEPS)
    op.execute(GRANT)
