"""Runs as pictures: accounts that balance, calendars, grids and charts."""

from datetime import timedelta

import pytest

from afin.ingest.v1 import ingest_pb2 as pb
from console.views import runs as views
from console.views.calendar import calendar
from console.views.grid import grid
from console.views.run_charts import durations, throughput
from tests.unit.console.runs import MONDAY, run

DAY = timedelta(days=1)


def test_the_parts_of_an_account_fill_its_bar() -> None:
    told = views.balance(run(account=pb.Account(read=10, new=4, changed=1, unchanged=2, late=1, quarantined=2)))

    assert told is not None
    assert told.missing == 0
    assert [part.share for part in told.parts] == [0.4, 0.1, 0.2, 0.1, 0.2]
    assert told.parts[-1].begin == pytest.approx(0.8)


def test_rows_that_no_part_accounts_for_are_told() -> None:
    told = views.balance(run(account=pb.Account(read=10, new=4)))

    assert told is not None
    assert told.missing == 6


def test_a_run_without_an_account_has_none_to_balance() -> None:
    assert views.balance(run()) is None


def test_the_rate_of_a_step_is_of_the_time_it_took() -> None:
    assert views.rate(run().steps[1], MONDAY + DAY) == 10


def test_what_a_screen_reader_is_told_names_state_and_step() -> None:
    working = run(state=pb.RUN_STATE_RUNNING)
    working.steps[1].state = pb.STEP_STATE_RUNNING

    assert views.summary(working) == ("Run of recommendations running, at save payments to db: 1 of 2 steps done")


def test_a_day_has_the_colour_of_the_worst_of_its_runs_and_leads_to_it() -> None:
    bad = run(pb.RUN_STATE_FAILED, MONDAY + timedelta(hours=1))

    found = calendar([run(), bad, run(begun=MONDAY - DAY)], MONDAY.date())

    newest = found.squares[-1]
    assert (newest.kind, newest.run_id) == ("failed", bad.run_id)
    assert newest.label == "2026-11-30: 1 failed, 1 succeeded"
    assert [day.kind for day in found.squares[-3:]] == ["empty", "succeeded", "failed"]
    assert found.summary == "3 runs in the last 26 weeks, 1 of them failed"


def test_days_before_the_oldest_run_that_was_listed_are_not_told_as_days_without_a_run() -> None:
    found = calendar([run(), run(begun=MONDAY - 2 * DAY)], MONDAY.date(), are_all=False)

    assert [day.label.partition(": ")[2] for day in found.squares[-4:]] == [
        "not among the newest runs",
        "1 succeeded",
        "no run",
        "1 succeeded",
    ]
    assert found.summary == "2 runs since 2026-11-28, 0 of them failed"


def test_a_calendar_ends_today_and_begins_on_a_monday() -> None:
    found = calendar([], (MONDAY + 3 * DAY).date())

    assert len(found.squares) == 25 * 7 + 4
    assert {day.x for day in found.squares[:7]} == {found.squares[0].x}
    names = [each.name for each in found.names]
    assert names == ["Mon", "Wed", "Fri", "Sun", "Jul", "Aug", "Sep", "Oct", "Nov"]


def test_the_grid_has_a_column_a_run_oldest_first() -> None:
    found = grid([run(pb.RUN_STATE_FAILED), run(begun=MONDAY - DAY)])

    assert found is not None
    assert [row.name for row in found.names] == ["save payments to bucket", "save payments to db"]
    kinds = [square.kind for square in sorted(found.squares, key=lambda square: (square.x, square.y))]
    assert kinds == ["succeeded", "succeeded", "succeeded", "failed"]


def test_durations_are_bars_of_how_long_runs_took() -> None:
    plot = durations([run(took=timedelta(seconds=50)), run(pb.RUN_STATE_FAILED, MONDAY - DAY, timedelta(seconds=100))])

    first, second = plot.bars
    assert (first.kind, second.kind) == ("failed", "succeeded")
    assert first.height == 2 * second.height
    assert [tick.label for tick in plot.columns] == ["29 Nov", "30 Nov"]


def test_throughput_leaves_out_runs_that_read_nothing() -> None:
    plot = throughput([run(account=pb.Account(read=1200, new=1200)), run(begun=MONDAY - DAY)])

    (line,) = plot.lines
    assert [dot.label for dot in line.dots] == ["2026-11-30 04:00:00: 20 rows/s"]
