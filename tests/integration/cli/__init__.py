"""The command afin."""
