"""Group roles and schemas. A login role is made a member of its service's group by whoever runs the database."""

from alembic import op

revision = "0001"
down_revision = None

# Roles belong to the whole cluster: another database, or its owner, may have made them already or at this moment.
CREATE_ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '{role}') THEN
        CREATE ROLE {role} NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""
# Loads are staged in temporary tables; a careful owner may have taken both rights from PUBLIC.
GRANT_DATABASE = """
DO $$ BEGIN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO afin_warehouse, afin_ingest, afin_indexer', current_database());
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO afin_warehouse', current_database());
END $$
"""


def upgrade() -> None:
    """Makes roles and schemas; PUBLIC gets nothing."""
    for role in ("afin_warehouse", "afin_ingest", "afin_indexer"):
        op.execute(CREATE_ROLE.format(role=role))
    op.execute(GRANT_DATABASE)
    op.execute("CREATE SCHEMA IF NOT EXISTS warehouse")
    op.execute("CREATE SCHEMA IF NOT EXISTS ingest")
    op.execute("REVOKE ALL ON SCHEMA warehouse, ingest FROM PUBLIC")
    op.execute("GRANT USAGE ON SCHEMA warehouse TO afin_warehouse, afin_indexer")
    op.execute("GRANT USAGE ON SCHEMA ingest TO afin_ingest")
    op.execute("GRANT SELECT ON warehouse.schema_version TO afin_warehouse")
