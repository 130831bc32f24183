"""Which of two published indexes answers a client: the main one, or an experiment's challenger.

The choice hangs on nothing but the experiment's name and the client: it is the same in every replica, after every
restart and nightly publication. A larger share keeps who was chosen and adds others; another name chooses anew.
"""

import hashlib
import re

MAIN = "main"
CHALLENGER = "challenger"
# How metrics call them; an experiment's name is no label.
ROLES = (MAIN, CHALLENGER)
NAME = "[a-z0-9][a-z0-9-]{0,39}"
EXPERIMENT = re.compile(NAME, re.ASCII)
HALF_KEY_BYTES = 8
PLACES = 2**64


def is_experiment_name(text: str) -> bool:
    """True for what may name an experiment, and so its challenger in answers."""
    return EXPERIMENT.fullmatch(text) is not None and text not in ROLES


class Split:
    """Chooses a share, 0 to 1, of all clients, known or not, by a hash of the experiment's name and a client's key."""

    def __init__(self, experiment: str, share: float) -> None:
        self._named = hashlib.blake2b(experiment.encode(), digest_size=8)
        self._end = round(share * PLACES)

    def takes(self, client_key: tuple[int, int]) -> bool:
        """Whether the challenger answers this client; `client_key`: its two halves of 64 bits."""
        high, low = client_key
        whole = self._named.copy()
        whole.update(high.to_bytes(HALF_KEY_BYTES, "big") + low.to_bytes(HALF_KEY_BYTES, "big"))
        return int.from_bytes(whole.digest(), "big") < self._end
