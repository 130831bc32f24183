"""What a request's fields may hold."""

import pytest

from services.warehouse.domain.fields import (
    WrongField,
    checked_load_id,
    checked_page_size,
    checked_sha256,
    checked_text,
)


@pytest.mark.parametrize("load_id", ["a", "run-1_2.3", "x" * 128])
def test_a_load_id_of_letters_digits_dots_and_dashes_is_taken(load_id: str) -> None:
    assert checked_load_id(load_id) == load_id


@pytest.mark.parametrize("load_id", ["", "x" * 129, "a b", "a/b", "a\n", "ä"])
def test_any_other_load_id_is_refused_by_name(load_id: str) -> None:
    with pytest.raises(WrongField) as refused:
        checked_load_id(load_id)
    assert refused.value.field == "load_id"


@pytest.mark.parametrize("sha256", ["", "0" * 63, "0" * 65, "A" * 64, "g" * 64])
def test_only_lower_case_hex_is_a_sha256(sha256: str) -> None:
    with pytest.raises(WrongField, match="manifest_sha256"):
        checked_sha256(sha256)


@pytest.mark.parametrize("value", ["", "x" * 129, "a\0b"])
def test_an_empty_overlong_or_unstorable_key_is_refused_without_being_quoted(value: str) -> None:
    with pytest.raises(WrongField) as refused:
        checked_text("external_client_id", value)
    assert refused.value.field == "external_client_id"
    assert not value or value not in str(refused.value)


def test_a_key_of_256_characters_is_taken() -> None:
    assert checked_text("company_code", "x" * 128) == "x" * 128


@pytest.mark.parametrize(("asked", "given"), [(0, 100), (1, 1), (1000, 1000)])
def test_a_page_has_the_size_asked_for_and_100_rows_when_none_is(asked: int, given: int) -> None:
    assert checked_page_size(asked) == given


@pytest.mark.parametrize("asked", [-1, 1001])
def test_a_page_size_out_of_range_is_refused(asked: int) -> None:
    with pytest.raises(WrongField, match="page_size"):
        checked_page_size(asked)
