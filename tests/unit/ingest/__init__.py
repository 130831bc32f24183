"""Decisions of ingest, and its workflow with small fakes."""
