"""The indexer sees which erasures its rows are without the clients of: ids, and nothing else."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Makes the view."""
    op.execute("CREATE VIEW warehouse.published_erasures AS SELECT erasure_id FROM warehouse.erasures")
    op.execute("GRANT SELECT ON warehouse.published_erasures TO afin_indexer")
