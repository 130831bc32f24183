"""The indexer's rules and computations, without I/O."""
