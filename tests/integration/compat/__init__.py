"""The code of now with what the previous release stored, and with its clients."""
