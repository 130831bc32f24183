"""The salt of erased clients' digests stands in the lake now, beside the records that need it."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Drops the table that held it."""
    op.execute("DROP TABLE ingest.erasure_salt")
