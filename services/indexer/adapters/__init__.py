"""Training rows, bundles and publications as the indexer sees them."""
