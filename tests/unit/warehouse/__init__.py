"""The warehouse's rules and conversions, without I/O."""
