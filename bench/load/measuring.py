"""What is measured, in the order in which it is: one server, one machine, nothing else beside it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.load.databases import UrlOf, new_database, new_warehouse, settle
from bench.load.floor import copy_seconds
from bench.load.ours import Loader, loader
from bench.load.rivals.process import Rival, rival
from bench.load.rows import first_seen, scattered, window

# By name: a module of bench.load.rivals and what it is told.
RIVALS = {
    "dlt scd2": ("dlt_scd2", "csv"),
    "dlt scd2 through ADBC": ("dlt_scd2", "parquet"),
    "row by row": ("row_by_row",),
}
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sizes:
    """In rows. `known`, `many`: what the table holds before batches; `repeats`: of each measurement."""

    batch: int = 200_000
    known: int = 1_000_000
    many: int = 5_000_000
    small: int = 1_000
    repeats: int = 3
    small_repeats: int = 9


@dataclass(slots=True)
class Seconds:
    """All measurements of a run; `rivals` by name. Each list is in the order in which it was measured."""

    floor: list[float] = field(default_factory=list)
    initial: list[float] = field(default_factory=list)
    batch: list[float] = field(default_factory=list)
    window: list[float] = field(default_factory=list)
    small: list[float] = field(default_factory=list)
    small_of_many: list[float] = field(default_factory=list)
    rivals: dict[str, list[float]] = field(default_factory=dict)
    peak_rss_mib: float = 0


class Measuring:
    """One run."""

    def __init__(self, url_of: UrlOf, folder: Path, sizes: Sizes, say: Say) -> None:
        self._url_of = url_of
        self._folder = folder
        self._sizes = sizes
        self._say = say
        self.seconds = Seconds()

    def measure_initial(self) -> None:
        """A first load, into an empty warehouse, beside the floor."""
        rows = first_seen(0, self._sizes.batch)
        for _ in range(self._sizes.repeats):
            self._measure_floor()
            with self._loader(new_warehouse(self._url_of)) as ours:
                self.seconds.initial.append(ours.load(rows).seconds)
        self._tell("initial", self.seconds.initial)

    def measure_batches(self, rivals_python: Path | None = None) -> None:
        """Batches and small batches on known rows, then small batches on many; rivals where their Python is given."""
        sizes = self._sizes
        url = new_warehouse(self._url_of)
        with self._loader(url) as ours, ExitStack() as stack:
            theirs: dict[str, Rival] = {}
            if rivals_python:
                theirs = {name: stack.enter_context(self._rival(name, rivals_python)) for name in RIVALS}
            self._say(f"loading {sizes.known:,} payments to begin with")
            ours.load(first_seen(0, sizes.known))
            settle(url)
            for turn in range(sizes.repeats):
                self._measure_turn(turn, ours, theirs)
            stack.close()
            self._tell("batch", self.seconds.batch)
            self._tell("batch of a window", self.seconds.window)
            self._measure_small(ours, url, sizes.known, self.seconds.small)
            self._say(f"loading {sizes.many - sizes.known:,} more payments")
            last = ours.load(first_seen(sizes.known, sizes.many - sizes.known))
            self._measure_small(ours, url, sizes.many, self.seconds.small_of_many)
            self.seconds.peak_rss_mib = last.peak_rss_mib

    def _measure_turn(self, turn: int, ours: Loader, theirs: dict[str, Rival]) -> None:
        """One batch by everybody, one after the other: what else the machine does then weighs on all alike."""
        sizes = self._sizes
        self._measure_floor()
        self.seconds.batch.append(ours.load(scattered(sizes.known, sizes.batch, turn)).seconds)
        for name, each in theirs.items():
            self.seconds.rivals.setdefault(name, []).append(each.load(scattered(sizes.known, sizes.batch, turn)))
            self._tell(name, self.seconds.rivals[name])
        self.seconds.window.append(ours.load(window(sizes.known, sizes.batch, turn)).seconds)

    @contextmanager
    def _rival(self, name: str, python: Path) -> Iterator[Rival]:
        """A rival that has the known rows already."""
        url = new_database(self._url_of)
        with rival(python, RIVALS[name], url, self._folder) as theirs:
            self._say(f"loading {self._sizes.known:,} payments by {name} to begin with")
            theirs.load(first_seen(0, self._sizes.known))
            settle(url)
            yield theirs

    def _measure_floor(self) -> None:
        rows = scattered(self._sizes.known, self._sizes.batch, 0)
        self.seconds.floor.append(copy_seconds(self._url_of("postgres"), rows.table()))

    def _measure_small(self, ours: Loader, url: str, known: int, seconds: list[float]) -> None:
        settle(url)
        first = 1000 + known
        turns = range(first, first + self._sizes.small_repeats)
        seconds.extend(ours.load(scattered(known, self._sizes.small, turn)).seconds for turn in turns)
        self._tell(f"small batch of {known:,}", seconds)

    def _loader(self, url: str) -> AbstractContextManager[Loader]:
        return loader(url, self._folder / "lake")

    def _tell(self, what: str, seconds: list[float]) -> None:
        self._say(f"{what}: {median(seconds):.3f} s  (" + ", ".join(f"{each:.3f}" for each in seconds) + ")")
