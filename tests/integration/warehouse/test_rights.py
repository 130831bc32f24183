"""All rights in the database, as it holds them: a migration that grants one more must say so here, too."""

from collections import defaultdict

import asyncpg

READ, ADD, CHANGE, KEEP = "SELECT", "SELECT INSERT", "SELECT INSERT UPDATE", "SELECT INSERT UPDATE DELETE"
RIGHTS = {
    ("afin_ingest", "ingest.runs"): KEEP,
    ("afin_ingest", "ingest.steps"): KEEP,
    ("afin_ingest", "ingest.schedules"): KEEP,
    ("afin_ingest", "ingest.sweeps"): CHANGE,
    ("afin_ingest", "ingest.leadership"): "SELECT UPDATE",
    ("afin_warehouse", "warehouse.payments"): KEEP,
    ("afin_warehouse", "warehouse.payment_confirmations"): KEEP,
    ("afin_warehouse", "warehouse.companies"): CHANGE,
    ("afin_warehouse", "warehouse.watermarks"): CHANGE,
    ("afin_warehouse", "warehouse.erasures"): CHANGE,
    # The ledger: of a load that is told, only where its manifest lies and how it is numbered can change.
    ("afin_warehouse", "warehouse.loads"): ADD,
    ("afin_warehouse", "warehouse.loads.manifest_key"): "UPDATE",
    ("afin_warehouse", "warehouse.loads.manifest_sha256"): "UPDATE",
    ("afin_warehouse", "warehouse.loads.update_sequence"): "UPDATE",
    ("afin_warehouse", "warehouse.missing_payments"): ADD,
    ("afin_warehouse", "warehouse.reconciliations"): "SELECT INSERT DELETE",
    ("afin_warehouse", "warehouse.erasure_changes"): "SELECT INSERT DELETE",
    ("afin_warehouse", "warehouse.latest_leader"): "SELECT UPDATE",
    ("afin_warehouse", "warehouse.schema_version"): READ,
    ("afin_warehouse", "warehouse.training_payments"): READ,
    ("afin_indexer", "warehouse.training_payments"): READ,
    ("afin_indexer", "warehouse.training_companies"): READ,
    ("afin_indexer", "warehouse.published_watermark"): READ,
    ("afin_indexer", "warehouse.published_loads"): READ,
    ("afin_indexer", "warehouse.published_erasures"): READ,
    ("afin_indexer", "warehouse.changed_by_loads"): READ,
    ("afin_indexer", "warehouse.changed_by_erasures"): READ,
}
# grantee 0 is PUBLIC. A relation's owner, who migrates, is nobody's role here.
GRANTED = """
WITH relations AS (
    SELECT c.oid, nspname || '.' || relname AS name, relacl, relowner
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
    WHERE nspname IN ('ingest', 'warehouse') AND relkind IN ('r', 'v', 'm', 'S', 'p', 'f')
)
SELECT coalesce(rolname, 'PUBLIC') AS role, name, privilege_type AS privilege
FROM (
    SELECT name, relowner, (aclexplode(relacl)).* FROM relations
    UNION ALL
    SELECT name || '.' || attname, relowner, (aclexplode(attacl)).* FROM relations JOIN pg_attribute ON attrelid = oid
) AS granted LEFT JOIN pg_roles AS r ON r.oid = grantee
WHERE grantee <> relowner
"""
SCHEMAS = """
SELECT coalesce(rolname, 'PUBLIC'), nspname, privilege_type
FROM (SELECT nspname, nspowner, (aclexplode(nspacl)).* FROM pg_namespace) AS granted
LEFT JOIN pg_roles AS r ON r.oid = grantee
WHERE nspname IN ('ingest', 'warehouse') AND grantee <> nspowner
"""
POWERS = """
SELECT rolname FROM pg_roles WHERE rolname LIKE 'afin\\_%'
    AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolcanlogin OR rolreplication OR rolbypassrls)
"""


async def test_each_role_has_just_the_rights_that_its_service_needs(connection: asyncpg.Connection) -> None:
    granted = defaultdict(set)
    for row in await connection.fetch(GRANTED):
        granted[row["role"], row["name"]].add(row["privilege"])

    assert dict(granted) == {key: set(rights.split()) for key, rights in RIGHTS.items()}


async def test_each_role_may_enter_the_schemas_of_its_service_and_make_nothing_there(
    connection: asyncpg.Connection,
) -> None:
    entered = {tuple(row.values()) for row in await connection.fetch(SCHEMAS)}

    assert entered == {
        ("afin_ingest", "ingest", "USAGE"),
        ("afin_warehouse", "warehouse", "USAGE"),
        ("afin_indexer", "warehouse", "USAGE"),
    }


async def test_no_role_of_a_service_has_power_over_the_server(connection: asyncpg.Connection) -> None:
    assert await connection.fetch(POWERS) == []
