"""Kills processes, cuts connections and spoils answers while pipelines run; compares the warehouse with the oracle."""
