"""What the previous release left behind and spoke, kept so that this one is tried with it (docs/upgrades.md)."""
