"""The made-up world of the generator: companies, clients with habits, payments, and what happens to them later."""
