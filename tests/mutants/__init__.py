"""Mutants: the merge with one mistake each, which the tests must notice."""
