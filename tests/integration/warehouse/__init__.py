"""The warehouse on a real PostgreSQL, object store and gRPC socket."""
