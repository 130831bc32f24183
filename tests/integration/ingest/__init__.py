"""ingest over real PostgreSQL, gRPC, HTTP and objects."""
