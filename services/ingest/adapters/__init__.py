"""Source, tables and other services as ingest sees them."""
