"""The index under SIGKILL: whatever dies while it is built, judged, published and pruned, a whole one is served."""
