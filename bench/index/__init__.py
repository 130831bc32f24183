"""How long an index takes to build and how much memory, by stages, at sizes that the design names."""
