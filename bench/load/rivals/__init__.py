"""Other ways to keep the history of payments, each a script of its own with packages of its own."""
