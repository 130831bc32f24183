"""How good recommendations are: the served path on the payments of a folder, beside other ways to recommend."""
