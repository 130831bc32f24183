"""Shares, intervals and counting, against known figures and a naive count."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.lake import TIMESTAMP
from services.contracts.recommendation_ids import Role
from services.ingest.adapters.feedback_counting import Counting
from services.ingest.domain.feedback_report import (
    MOST_EXPERIMENTS,
    MOST_GROUPS,
    Estimate,
    Group,
    Tally,
    by_role,
    difference,
    most_shown,
    share,
    variant_reports,
)
from services.ingest.workflow.feedback_report import plan
from services.runtime.errors import FailedPrecondition

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
NEVER = 1000


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(5, 10, 0.2366, 0.7634), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_a_share_has_wilsons_interval(successes: int, trials: int, low: float, high: float) -> None:
    found = share(successes, trials)
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((successes / trials, low, high), abs=5e-5)


def test_a_difference_has_newcombes_interval() -> None:
    """The example (a) of his table II: 56/70 - 48/80."""
    found = difference(share(56, 70), share(48, 80))
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_of_nothing_there_is_no_share_and_no_difference() -> None:
    assert share(0, 0) is None
    assert difference(share(0, 0), share(1, 2)) is None


def test_a_challenger_is_held_against_main_of_its_own_experiment() -> None:
    tallies = {
        Group(0, "main", 1): Tally(1000, 900, 900),
        Group(7, "main", 1): Tally(60, 0, 40),
        Group(7, "main", 2): Tally(20, 0, 8),
        Group(7, "challenger", 1): Tally(70, 0, 56),
    }
    challenger_last = variant_reports(tallies)
    assert [(each.experiment, each.role) for each in challenger_last] == [(7, "main"), (7, "challenger"), (0, "main")]
    main, challenger, before = challenger_last
    assert (main.tally, dict(main.strategies)) == (Tally(80, 0, 48), {1: Tally(60, 0, 40), 2: Tally(20, 0, 8)})
    assert challenger.hit_difference == difference(share(56, 70), share(48, 80))
    assert challenger.click_difference is not None
    assert (main.hit_difference, before.hit_difference) == (None, None)
    assert by_role(tallies) == {"main": Tally(1080, 900, 948), "challenger": Tally(70, 0, 56)}


def test_a_challenger_without_main_has_nothing_to_be_held_against() -> None:
    (report,) = variant_reports({Group(7, "challenger", 1): Tally(70, 5, 5)})
    assert report.hit_difference is None


def test_made_up_experiments_do_not_make_a_report_long() -> None:
    reports = variant_reports({Group(number, "main", 1): Tally(1) for number in range(500)})
    assert [each.experiment for each in reports] == list(range(499, 499 - MOST_EXPERIMENTS, -1))


def test_made_up_experiments_do_not_push_out_one_with_answers() -> None:
    made_up = {Group(number, "main", 1): Tally(1) for number in range(100, 600)}
    reports = variant_reports({**made_up, Group(7, "main", 1): Tally(2)})
    assert (len(reports), reports[-1].experiment) == (MOST_EXPERIMENTS, 7)


def test_of_many_groups_those_with_the_most_answers_are_kept() -> None:
    tallies = {Group(number, "main", 1): Tally(number % 4) for number in range(8)}
    assert most_shown(tallies, 3) == {Group(number, "main", 1): Tally(number % 4) for number in (3, 7, 2)}
    assert most_shown(tallies, 8) == tallies


@pytest.mark.parametrize(
    ("rows", "buckets", "passes"),
    [(0, 1, 1), (100, 1, 1), (101, 2, 2), (800, 8, 8), (801, 16, 12), (100_000, 1024, 1)],
)
def test_passes_are_bounded_by_memory_and_by_time(rows: int, buckets: int, passes: int) -> None:
    planned = plan(rows, rows_a_pass=100, rows_a_report=10_000)
    assert (planned.buckets, planned.passes) == (buckets, passes)


class Row(NamedTuple):
    """A row of feedback; `answer` stands for the answer and all that its id says."""

    answer: int
    company: str
    kind: str
    hour: int


ROWS = st.lists(
    st.builds(
        Row,
        answer=st.integers(0, 5),
        company=st.sampled_from("AB"),
        kind=st.sampled_from(("shown", "clicked", "paid")),
        hour=st.integers(0, 3),
    ),
    max_size=40,
)


def group_of(answer: int) -> Group:
    """Answers 0, 2, 4 are main's, the others the challenger's; from 3 on by another strategy."""
    role: Role = "challenger" if answer % 2 else "main"
    return Group(3, role, 1 if answer < 3 else 2)


def table_of(rows: list[Row]) -> pa.Table:
    groups = [group_of(row.answer) for row in rows]
    return pa.table(
        {
            "recommendation_id": pa.array([str(row.answer) for row in rows], pa.string()),
            "company_code": pa.array([row.company for row in rows], pa.string()),
            "kind": pa.array([row.kind for row in rows], pa.string()),
            "at": pa.array([START + timedelta(hours=row.hour) for row in rows], TIMESTAMP),
            "made_at": pa.array([START + row.answer * DAY for row in rows], TIMESTAMP),
            "number": pa.array([row.answer for row in rows], pa.int64()),
            "experiment": pa.array([group.experiment for group in groups], pa.int64()),
            "role": pa.array([group.role for group in groups], pa.string()),
            "strategy": pa.array([group.strategy for group in groups], pa.int64()),
        }
    )


def naive(rows: list[Row]) -> dict[Group, Tally]:
    """Answer by answer, company by company."""
    tallies: dict[Group, Tally] = defaultdict(Tally)
    for answer in {row.answer for row in rows}:
        shown = clicked = paid = False
        stray = 0
        for company in {row.company for row in rows if row.answer == answer}:
            first = {
                kind: min((r.hour for r in rows if r[:3] == (answer, company, kind)), default=NEVER)
                for kind in ("shown", "clicked", "paid")
            }
            counts = {kind: first["shown"] <= first[kind] < NEVER for kind in ("clicked", "paid")}
            shown |= first["shown"] < NEVER
            clicked |= counts["clicked"]
            paid |= counts["paid"]
            stray += sum(first[kind] < NEVER and not counts[kind] for kind in ("clicked", "paid"))
        tallies[group_of(answer)] += Tally(int(shown), int(clicked), int(paid), stray)
    return dict(tallies)


@given(ROWS, st.integers(0, 6), st.integers(0, 6))
def test_counting_by_arrow_is_the_naive_count_of_the_range(rows: list[Row], first: int, last: int) -> None:
    counting = Counting(START + first * DAY, START + last * DAY)
    counting.add(table_of(rows))
    wanted = [row for row in rows if first <= row.answer < last]
    assert counting.tallies() == naive(wanted)
    assert counting.rows == len(wanted)


@given(ROWS, st.integers(1, 5))
def test_repeats_and_any_cut_into_parts_change_nothing(rows: list[Row], size: int) -> None:
    counting = Counting(START, START + 30 * DAY)
    for begin in range(0, len(rows), size):
        counting.add(table_of(rows[begin : begin + size]))
        if begin % 2:
            counting.tallies()
    counting.add(table_of(rows[::-1]))
    assert counting.tallies() == naive(rows)


@given(ROWS)
def test_buckets_together_are_the_whole(rows: list[Row]) -> None:
    total: dict[Group, Tally] = defaultdict(Tally)
    for bucket in range(4):
        counting = Counting(START, START + 30 * DAY, bucket, 4)
        counting.add(table_of(rows))
        for group, tally in counting.tallies().items():
            total[group] += tally
    assert dict(total) == naive(rows)


def test_companies_beyond_what_memory_holds_are_not_counted() -> None:
    counting = Counting(START, START + DAY, most_companies=2)
    counting.add(table_of([Row(0, "A", "shown", 0), Row(0, "B", "shown", 0), Row(0, "A", "paid", 1)]))
    assert counting.tallies() == {group_of(0): Tally(1, 0, 1)}

    counting.add(table_of([Row(0, "C", "shown", 0)]))
    with pytest.raises(FailedPrecondition):
        counting.tallies()


def test_groups_beyond_what_can_be_are_not_told() -> None:
    rows = MOST_GROUPS + 3
    table = table_of([Row(0, "A", "shown", 0)] * rows)
    made_up = pa.array([str(number) for number in range(rows)], pa.string()), pa.array(range(rows), pa.int64())
    places = [table.schema.get_field_index(name) for name in ("recommendation_id", "experiment")]
    for place, column in zip(places, made_up, strict=True):
        table = table.set_column(place, table.schema.field(place), column)
    counting = Counting(START, START + DAY)
    counting.add(table)
    assert sorted(group.experiment for group in counting.tallies()) == list(range(MOST_GROUPS))


def test_buckets_hold_about_alike_also_of_every_other_number() -> None:
    numbers = list(range(0, 80_000, 2))
    table = table_of([Row(0, "A", "shown", 0)] * len(numbers)).set_column(5, "number", pa.array(numbers, pa.int64()))
    sizes = []
    for bucket in range(8):
        counting = Counting(START, START + DAY, bucket, 8)
        counting.add(table)
        sizes.append(counting.rows)
    assert sum(sizes) == len(numbers)
    assert max(sizes) < 1.05 * min(sizes)


def test_an_estimate_never_leaves_0_to_1_nor_its_own_value() -> None:
    for trials in range(1, 40):
        for successes in range(trials + 1):
            found = share(successes, trials)
            assert isinstance(found, Estimate)
            assert 0 <= found.low <= found.value <= found.high <= 1
