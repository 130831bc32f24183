"""Decisions of the warehouse; no I/O."""
