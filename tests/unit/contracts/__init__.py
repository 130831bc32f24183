"""What services agree on: bundles and ranking, without I/O."""
