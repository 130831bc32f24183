"""Page tokens go out and come back, and broken ones are told apart."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.warehouse.domain.fields import WrongField
from services.warehouse.domain.paging import key_of_token, moment_of_token, page_token

STORABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(st.lists(STORABLE, min_size=1, max_size=4))
def test_a_token_gives_back_its_key(key: list[str]) -> None:
    assert key_of_token(page_token(key), len(key)) == key


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "ä",
        "%%%%",
        page_token(["a", "b"]),
        base64.urlsafe_b64encode(b"{}").decode(),
        base64.urlsafe_b64encode(b"[1]").decode(),
        base64.urlsafe_b64encode(b"\xff").decode(),
        base64.urlsafe_b64encode(b'["\\u0000"]').decode(),
        base64.urlsafe_b64encode(b'["\\ud800"]').decode(),
        base64.urlsafe_b64encode(b"[" * 100_000).decode(),
    ],
    ids=lambda token: token[:12],
)
def test_what_is_no_token_of_the_listing_is_refused(token: str) -> None:
    with pytest.raises(WrongField, match="page_token"):
        key_of_token(token, 1)


@given(st.text())
def test_no_text_whatever_does_more_than_be_refused(token: str) -> None:
    try:
        key = key_of_token(token, 1)
    except WrongField:
        return
    assert page_token(key)


@pytest.mark.parametrize("part", ["", "yesterday", "2026-01-01T00:00:00", "0001-01-01T00:00:00+12:00"])
def test_a_moment_without_zone_or_sense_is_refused(part: str) -> None:
    with pytest.raises(WrongField, match="page_token"):
        moment_of_token(part)
