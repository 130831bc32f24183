"""The operators' web page: a small service of its own that talks to the others by gRPC alone."""
