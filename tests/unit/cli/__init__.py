"""The command `afin`, without a service."""
