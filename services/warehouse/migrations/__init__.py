"""The one history of the schemas `warehouse` and `ingest`, applied by `python -m services.warehouse.migrate`."""
