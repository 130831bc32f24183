"""What deploy/ promises, read from its files."""
