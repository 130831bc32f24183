"""How fast recommendations are served, beside bare echo servers, from the given data and from a large catalogue."""
