"""A canary client id goes through success and every error, and is looked for wherever it must not be."""
