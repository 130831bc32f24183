"""Alembic runs this file for every command; the connection comes from services.warehouse.migrate."""

from alembic import context

from services.warehouse.migrations.history import VERSION_SCHEMA, VERSION_TABLE

attributes = context.config.attributes
context.configure(
    connection=attributes["connection"],
    version_table=VERSION_TABLE,
    version_table_schema=VERSION_SCHEMA,
    on_version_apply=attributes["on_version_apply"],
)
with context.begin_transaction():
    context.run_migrations()
