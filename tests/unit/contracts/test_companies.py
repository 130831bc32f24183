"""Companies as arrays: what goes in comes out, and what is damaged is told."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contracts.companies import code_key, key_problems, table_problems
from services.contracts.company_columns import table_of
from services.contracts.texts import Texts, text_problems, texts_of
from tests.unit.contracts.company_tables import columns

ENCODABLE = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def test_every_value_comes_back() -> None:
    given_columns = columns(20)
    table = table_of(given_columns)

    places = range(len(table))
    assert [table.company_id(place) for place in places] == given_columns.company_id
    assert [table.code(place) for place in places] == given_columns.company_code
    assert [table.name(place) for place in places] == given_columns.company_name
    assert [table.category_id(place) for place in places] == given_columns.category_id
    assert [table.category_name(place) for place in places] == given_columns.category_name
    assert table.rows["is_top_biller"][:3].tolist() == [1, 0, -1]
    assert np.isnan(table.rows["average_amount"][0])
    assert table.rows["average_amount"][19] == 28.5


def test_a_company_is_found_by_its_code_alone() -> None:
    table = table_of(columns(20))

    assert [table.find(table.code(place)) for place in range(20)] == list(range(20))
    assert [table.find(code) for code in ("", "C00", "C0000", "c001", "Société 1")] == [None] * 5


def test_nothing_is_found_among_no_companies() -> None:
    assert table_of(columns(0)).find("C000") is None


def test_a_code_whose_key_is_that_of_another_is_not_found_as_that_other() -> None:
    table = table_of(columns(3))
    keys = table.code_keys.copy()
    keys[-1] = max(code_key("stranger"), keys[-2] + 1)

    assert replace(table, code_keys=keys).find("stranger") is None


def test_categories_without_an_id_are_in_no_filter() -> None:
    table = table_of(columns(6))

    assert np.flatnonzero(table.in_categories([7, 8])).tolist() == [1, 3, 5]
    assert not table.in_categories([0, 8]).any()


def test_two_companies_of_one_code_are_no_catalogue() -> None:
    twice = columns(3)

    with pytest.raises(ValueError, match="the same company_code"):
        table_of(replace(twice, company_code=["a", "b", "a"]))


def test_a_sound_table_has_no_problem() -> None:
    table = table_of(columns(20))

    assert [*table_problems(table, 12), *key_problems(table)] == []


def test_the_two_parts_are_in_order_each_for_itself() -> None:
    table = table_of(replace(columns(4), company_code=["b", "d", "a", "c"]))

    assert list(table_problems(table, 2)) == []
    assert list(table_problems(table, 3)) == ["companies in order of company_code, first those of the index"]


@given(st.lists(ENCODABLE, max_size=30))
def test_texts_come_back_and_their_order_is_that_of_strings(texts: list[str]) -> None:
    stored = texts_of(texts)

    assert stored.tolist() == texts
    assert list(text_problems(stored)) == []
    assert stored.are_ascending() == all(texts[place] < texts[place + 1] for place in range(len(texts) - 1))


@given(st.lists(ENCODABLE, max_size=30, unique=True))
def test_sorted_texts_are_ascending(texts: list[str]) -> None:
    assert texts_of(sorted(texts)).are_ascending()


@pytest.mark.parametrize(
    "texts",
    [
        Texts(np.frombuffer("é".encode(), np.uint8), np.array([0, 1, 2])),
        Texts(np.frombuffer(b"a\xff", np.uint8), np.array([0, 2])),
        Texts(np.frombuffer("aé".encode()[:2], np.uint8), np.array([0, 2])),
        Texts(np.frombuffer(b"ab", np.uint8), np.array([0, 2, 1])),
        Texts(np.frombuffer(b"ab", np.uint8), np.array([0, 3])),
        Texts(np.frombuffer(b"ab", np.uint8), np.array([1, 2])),
    ],
)
def test_texts_that_could_not_be_read_are_found(texts: Texts) -> None:
    assert len(list(text_problems(texts))) == 1
