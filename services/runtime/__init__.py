"""What every process is made of."""
