"""Features, embedding and evaluation; no I/O."""
