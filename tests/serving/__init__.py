"""Serving under faults: swaps, restarts, overload, hostile clients, outages of all others, and a long time of load."""
