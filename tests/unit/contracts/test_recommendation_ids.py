"""Ids of recommendations."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.recommendation_ids import (
    ID_CHARACTERS,
    LARGEST_EPOCH,
    LARGEST_STRATEGY,
    NUMBERS,
    Origin,
    RecommendationId,
    decoded,
    encoded,
    numbers,
)

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/= é"
EPOCHS = st.integers(0, LARGEST_EPOCH)
ID = encoded(Origin(7, 3, "challenger"), 2, 1_790_000_000, 41).decode()


IDS = st.builds(
    RecommendationId,
    made_at=st.integers(0, 2**32 - 1).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    number=st.integers(0, NUMBERS - 1),
    epoch=EPOCHS,
    experiment=EPOCHS,
    role=st.sampled_from(("main", "challenger")),
    strategy=st.integers(0, LARGEST_STRATEGY),
)


@given(IDS)
def test_an_id_tells_what_it_was_made_of(told: RecommendationId) -> None:
    origin = Origin(told.epoch, told.experiment, told.role)
    text = encoded(origin, told.strategy, int(told.made_at.timestamp()), told.number).decode()
    assert decoded(text) == told
    assert len(text) == ID_CHARACTERS


def test_one_wrong_character_anywhere_is_refused() -> None:
    for place in range(len(ID)):
        for letter in set(ALPHABET) - {ID[place]}:
            with pytest.raises(ValueError):  # noqa: PT011 - any of its kinds
                decoded(ID[:place] + letter + ID[place + 1 :])


def test_two_neighbours_that_changed_places_are_refused() -> None:
    for place in range(len(ID) - 1):
        changed = ID[:place] + ID[place + 1] + ID[place] + ID[place + 2 :]
        if changed != ID:
            with pytest.raises(ValueError, match=r"check|format"):
                decoded(changed)


@pytest.mark.parametrize(
    "text", ["", "x", ID[:-1], ID + "A", ID[:-4] + "====", " " * ID_CHARACTERS, "\0" * ID_CHARACTERS]
)
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any of its kinds
        decoded(text)


def test_ids_of_a_process_differ_also_where_its_numbers_begin_anew() -> None:
    following = numbers(NUMBERS - 500)
    ids = {encoded(Origin(1), 1, 1_790_000_000, next(following)) for _ in range(1000)}
    assert len(ids) == 1000


def test_an_epoch_that_no_id_can_hold_is_told() -> None:
    with pytest.raises(ValueError, match="epochs"):
        Origin(LARGEST_EPOCH + 1)
