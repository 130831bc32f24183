"""Made-up names of companies; any likeness to a real one is chance."""

import numpy as np

_STARTS = """
    Al Bel Bri Cal Cor Dal Del Dor El Esa Fal Fen Gal Gre Hal Ila Jor Kel Lan Lor
    Mar Mel Mon Nal Nor Ola Pal Per Qui Ral Riv Sal Sel Sol Tam Tor Ula Val Ver Zan
"""
_ENDS = """
    bena bria cado cera dana demar dira fina gosta landa lena lio mera mina moro nadia neva noba nora pina
    poli quia rena ria ridge rona sanda sela stera tana tella tico tora tova vento vera vica vira zeno zora
"""
_PLACES = ("", " North", " South", " East", " West", " Central", " Riverside", " Hillside", " Harbour", " Old Town")

# 40 beginnings, 40 ends, and the places.
MOST_NAMES = 40 * 40 * len(_PLACES)


def company_names(random: np.random.Generator, nouns: list[tuple[str, ...]]) -> list[str]:
    """One name for each entry, ending in one of its nouns; all differ, up to MOST_NAMES of them."""
    stems = [start + end for start in _STARTS.split() for end in _ENDS.split()]
    order, draws = random.permutation(len(stems)), random.random(len(nouns))
    names = []
    for i, (choice, draw) in enumerate(zip(nouns, draws, strict=True)):
        turn, stem = divmod(i, len(stems))
        names.append(f"{stems[order[stem]]}{_PLACES[turn]} {choice[int(draw * len(choice))]}")
    return names
