"""The door of a real server: TLS, keys, roles, audit."""
