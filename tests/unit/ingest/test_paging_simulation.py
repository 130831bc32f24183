"""Two thousand passes over sources that move: no row that stays is missed; by offsets alone, rows are lost in most."""

import random
from collections import Counter
from collections.abc import Callable, Iterator

from services.ingest.domain.paging import PagingError
from tests.unit.ingest.moving_source import Key, MovingSource, Situation, filled, read, read_naively

PASSES = 2000
NAIVE_PASSES = 200
# Of each pass, one of deletions or ties at least: what offsets alone cannot bear.
CHANGES = ("delete", "delete_first", "insert", "insert_first", "append", "update")


def situations(count: int) -> Iterator[Situation]:
    """Always the same, each of its own kind."""
    for seed in range(count):
        chance = random.Random(seed)  # noqa: S311 - no secret
        yield Situation(
            seed=seed,
            codes=chance.choice([1, 3]),
            room=chance.choice([5, 10, 20]),
            ids=chance.choice([40, 1000]),
            rows=chance.choice([30, 80, 120]),
            asked=chance.choice([1, 3]),
            changes=[("delete", 1), ("delete_first", chance.choice([0, 12])), *_others(chance)],
            in_flight=chance.choice([1, 2, 4, 8]),
            keeps=chance.choice([1, 3]),
            breaks=frozenset(chance.sample(range(1, 15), chance.choice([0, 1, 3]))),
        )


def _others(chance: random.Random) -> list[tuple[str, int]]:
    return [(chance.choice(CHANGES), chance.choice([0, 1, 2])) for _ in range(5)]


def outcomes(count: int, pass_over: Callable[[MovingSource, Situation], set[Key]]) -> Counter[str]:
    """What came of so many passes: whole, missed or refused."""
    counter: Counter[str] = Counter()
    for situation in situations(count):
        source = filled(situation)
        before = set(source.rows)
        try:
            seen = pass_over(source, situation)
        except PagingError:
            counter["refused"] += 1
            continue
        counter["whole" if before - source.touched <= seen else "missed"] += 1
    return counter


def test_no_row_that_stays_is_missed_in_two_thousand_passes() -> None:
    found = outcomes(PASSES, read)

    assert found["missed"] == 0
    assert found["refused"] < PASSES / 100


def test_the_same_passes_by_offsets_alone_lose_rows() -> None:
    found = outcomes(NAIVE_PASSES, read_naively)

    assert found["missed"] > NAIVE_PASSES / 2
