"""What a child process does when its parent is killed and can tell it nothing any more."""

import os
import threading

STDIN = 0


def die_with_parent() -> None:
    """Ends this process when its stdin ends: who started it holds the other end for as long as it lives itself.

    So a killed service leaves no child that works on in its folder, which the next one clears.
    """
    threading.Thread(target=_wait_for_end, daemon=True).start()


def _wait_for_end() -> None:
    while os.read(STDIN, 1):
        pass
    os._exit(1)
