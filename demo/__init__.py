"""Source API, data generator and one-machine stack."""
