"""Tests of separate processes."""
