"""The console in a real browser over a whole stack: `make test-console`."""
