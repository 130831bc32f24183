"""Serves recommendations from the published index."""
