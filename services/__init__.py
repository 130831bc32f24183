"""Afín's services and what they are made of."""
