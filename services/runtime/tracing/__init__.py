"""Traces by OpenTelemetry: off unless a collector is set, and then of calls and runs, never of rows."""
