"""Tests against real PostgreSQL, gRPC, HTTP and S3."""
