"""Decisions of ingest; no I/O."""
