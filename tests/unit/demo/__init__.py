"""Tests of the demo without I/O."""
