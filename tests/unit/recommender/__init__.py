"""The recommender without I/O."""
