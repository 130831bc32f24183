"""The console as a process over a whole stack."""
