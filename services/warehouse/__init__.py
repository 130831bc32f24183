"""Keeps the history of payments and companies."""
