"""A state goes on with the payments it was begun with."""

from datetime import date
from pathlib import Path

import pytest

from demo.dataset import DatasetError
from demo.main_job.data import origin_of, remember

FIRST_DAY, NEXT_DAY = date(2026, 1, 1), date(2026, 1, 2)


def test_generated_payments_stay_the_same_on_later_days(tmp_path: Path) -> None:
    remember(tmp_path, origin_of(tmp_path, None, FIRST_DAY))
    assert origin_of(tmp_path, None, NEXT_DAY).generated_until == FIRST_DAY


def test_the_same_folder_may_be_read_again(tmp_path: Path) -> None:
    remember(tmp_path / "state", origin_of(tmp_path / "state", tmp_path, FIRST_DAY))
    assert origin_of(tmp_path / "state", tmp_path, NEXT_DAY).folder == tmp_path


def test_a_state_with_generated_payments_refuses_a_folder_and_says_what_to_do(tmp_path: Path) -> None:
    remember(tmp_path, origin_of(tmp_path, None, FIRST_DAY))
    with pytest.raises(DatasetError, match=r"holds the payments of the generator.*STATE=folder"):
        origin_of(tmp_path, tmp_path / "own", FIRST_DAY)
