"""What requests may say."""

import base64

import pytest

from services.indexer import requests
from services.runtime.errors import InvalidArgument
from services.runtime.paging import page_token

VERSION = "20260301T123015Z-abababababab"


@pytest.mark.parametrize("build_id", ["a", "run-1.2_3", "x" * 128])
def test_build_ids_of_safe_characters_are_taken(build_id: str) -> None:
    assert requests.checked_build_id(build_id) == build_id


@pytest.mark.parametrize("build_id", ["", "x" * 129, "a/b", "a b", "a\n", "ä"])
def test_other_build_ids_are_refused_by_name(build_id: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        requests.checked_build_id(build_id)

    assert caught.value.field == "build_id"


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 501])
def test_a_reason_must_say_something_in_500_characters(reason: str) -> None:
    with pytest.raises(InvalidArgument, match="reason"):
        requests.checked_reason(reason)


@pytest.mark.parametrize(("asked", "size"), [(0, 20), (1, 1), (200, 200)])
def test_page_sizes_have_a_usual_value(asked: int, size: int) -> None:
    assert requests.checked_page_size(asked) == size


@pytest.mark.parametrize("asked", [-1, 201])
def test_other_page_sizes_are_refused(asked: int) -> None:
    with pytest.raises(InvalidArgument, match="page_size"):
        requests.checked_page_size(asked)


def test_tokens_come_back_as_the_place_they_were_made_of() -> None:
    assert requests.version_of_token(page_token(VERSION)) == VERSION
    assert requests.epoch_of_token(page_token("42")) == 42


def test_without_a_token_a_list_begins_at_its_start() -> None:
    assert requests.version_of_token("") == ""
    assert requests.epoch_of_token("") == 0


@pytest.mark.parametrize("token", ["nonsense", "=", "ö", base64.b64encode(b"\xff\xfe").decode(), "LTE=", "MA=="])
def test_broken_tokens_are_refused(token: str) -> None:
    for read in (requests.version_of_token, requests.epoch_of_token):
        with pytest.raises(InvalidArgument, match="page_token"):
            read(token)
