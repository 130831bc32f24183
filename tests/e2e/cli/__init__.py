"""The command `afin` against a whole stack."""
