"""A plugin of pytest: whether an example fails is all that counts, not which one is the simplest."""

from hypothesis import Phase, settings

settings.register_profile("mutants", phases=(Phase.explicit, Phase.generate), database=None)
settings.load_profile("mutants")
