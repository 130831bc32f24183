"""The ledger keeps the order of what it holds: replayed in it, the lake gives the same warehouse."""

from alembic import op

revision = "0005"
down_revision = "0004"

COLUMNS = """
ALTER TABLE warehouse.loads
    ADD COLUMN sequence bigint UNIQUE,
    ADD COLUMN update_sequence bigint UNIQUE,
    ADD CONSTRAINT loads_update_follows CHECK (update_sequence > sequence),
    ADD CONSTRAINT loads_update_of_companies CHECK (update_sequence IS NULL OR dataset = 'companies')
"""
SEQUENCE_COMMENT = """
COMMENT ON COLUMN warehouse.loads.sequence IS 'The order in which loads were applied, from 1 without gaps.'
"""
UPDATE_COMMENT = """
COMMENT ON COLUMN warehouse.loads.update_sequence IS
    'Where in the same order RecordCompaniesUpdate followed. No place is taken twice.'
"""
# Of loads entered before there was an order: by time, and the newest recorded update after all of them.
NUMBER_LOADS = """
UPDATE warehouse.loads AS l SET sequence = n.sequence
FROM (SELECT load_id, row_number() OVER (ORDER BY committed_at, load_id) AS sequence FROM warehouse.loads) AS n
WHERE l.load_id = n.load_id
"""
NUMBER_UPDATE = """
UPDATE warehouse.loads SET update_sequence = (SELECT max(sequence) + 1 FROM warehouse.loads)
WHERE load_id = (SELECT load_id FROM warehouse.watermarks WHERE dataset = 'companies')
"""
REQUIRED = "ALTER TABLE warehouse.loads ALTER COLUMN sequence SET NOT NULL"
GRANT = "GRANT UPDATE (update_sequence) ON warehouse.loads TO afin_warehouse"


def upgrade() -> None:
    """Adds the order."""
    for statement in (COLUMNS, SEQUENCE_COMMENT, UPDATE_COMMENT, NUMBER_LOADS, NUMBER_UPDATE, REQUIRED, GRANT):
        op.execute(statement)
