"""The account of a run holds every row, or does not exist."""

import pytest

from services.ingest.domain.account import Account


def test_an_account_that_adds_up_tells_its_outcomes() -> None:
    account = Account(read=10, new=4, changed=1, unchanged=2, late=1, quarantined=2)

    assert account.outcomes() == {"new": 4, "changed": 1, "unchanged": 2, "late": 1, "quarantined": 2}


@pytest.mark.parametrize("read", [9, 11])
def test_an_account_in_which_a_row_is_lost_or_counted_twice_cannot_be(read: int) -> None:
    with pytest.raises(ValueError, match="10 are accounted for"):
        Account(read=read, new=4, changed=1, unchanged=2, late=1, quarantined=2)
