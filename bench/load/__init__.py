"""How fast payments are loaded: to the floor that PostgreSQL sets, and beside other ways to keep their history."""
