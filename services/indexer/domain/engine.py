"""Where the work on parts of the payments is done: in this process, or wherever an adapter sends it."""

from collections.abc import Callable, Iterable, Iterator
from itertools import starmap
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.floating]


class ClusterLost(Exception):
    """Those who do the work are not there, or are no longer; the same work may succeed later."""


class Engine(Protocol):
    """Does pure work. The results do not depend on who did it, nor on how many did."""

    def place(self, value: object) -> Any:
        """Puts a value where work can reach it: what this returns may stand for it among the arguments of a task."""

    def run(self, work: Callable[..., Block], tasks: Iterable[tuple[Any, ...]]) -> Iterator[Block]:
        """The result of work(*task) of each task, in the order of the tasks; few are held at a time.

        ClusterLost when nobody is left to do them.
        """


class Local:
    """One task after another, in this process."""

    def place(self, value: object) -> Any:
        """See Engine."""
        return value

    def run(self, work: Callable[..., Block], tasks: Iterable[tuple[Any, ...]]) -> Iterator[Block]:
        """See Engine."""
        return starmap(work, tasks)


LOCAL = Local()
