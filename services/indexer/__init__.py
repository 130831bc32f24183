"""Builds, judges and publishes the index."""
