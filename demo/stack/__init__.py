"""The whole suite on one machine: embedded or real PostgreSQL and objects, one process a service."""
