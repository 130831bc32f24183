"""Tests of the benches: that they run, and measure what they say."""
