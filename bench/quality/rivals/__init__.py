"""Ways to recommend that need packages of their own, and the picture; each a script for their environment."""
