"""Metrics, rules and dashboards agree with each other."""
