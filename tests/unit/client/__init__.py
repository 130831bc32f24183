"""Tests of the client that need no network."""
