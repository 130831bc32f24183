"""The console's answers while no service is there."""
