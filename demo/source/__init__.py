"""The source API: stands for somebody else's system, over a PostgreSQL schema of its own, `source`."""
