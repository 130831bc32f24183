"""A new installation's first run: both pipelines through ingest, then one recommendation."""
