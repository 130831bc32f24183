"""The live mode: keeps adding and changing payments in the source, so that a scheduled stack has work."""
