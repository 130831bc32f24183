"""The one history of the database's schemas `warehouse` and `ingest`, applied by `python -m services.warehouse.migrate`."""
