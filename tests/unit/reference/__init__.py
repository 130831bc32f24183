"""The pages of docs/reference, made of settings classes and protos: `make docs` writes them, a test compares."""
