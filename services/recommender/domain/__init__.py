"""Ranking of one request; no I/O."""
