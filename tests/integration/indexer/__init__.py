"""The indexer on a real database, object store and socket, with its child processes."""
