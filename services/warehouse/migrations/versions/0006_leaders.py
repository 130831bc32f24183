"""Leaders of ingest: the epoch of the latest one, as ingest counts it and as the warehouse was told."""

from alembic import op

revision = "0006"
down_revision = "0005"

# One row each, for ever.
ONE_ROW = "CREATE UNIQUE INDEX one_row_of_{table} ON {schema}.{table} ((true))"
LEADERSHIP = "CREATE TABLE ingest.leadership (epoch bigint NOT NULL)"
LATEST_LEADER = "CREATE TABLE warehouse.latest_leader (epoch bigint NOT NULL)"


def upgrade() -> None:
    """Makes both, with no leader yet."""
    for schema, table, statement in (
        ("ingest", "leadership", LEADERSHIP),
        ("warehouse", "latest_leader", LATEST_LEADER),
    ):
        op.execute(statement)
        op.execute(ONE_ROW.format(schema=schema, table=table))
        op.execute(f"INSERT INTO {schema}.{table} VALUES (0)")
        op.execute(f"GRANT SELECT, UPDATE ON {schema}.{table} TO afin_{schema}")
