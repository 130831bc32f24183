"""Measurements beside the code that they measure."""
