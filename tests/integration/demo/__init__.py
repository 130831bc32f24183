"""Tests of the source API, its loader and live mode on real PostgreSQL and HTTP."""
