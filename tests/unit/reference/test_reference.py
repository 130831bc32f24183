"""docs/reference says what the code says."""

from pathlib import Path

import pytest

from tests.unit.reference.pages import REFERENCE, pages

PAGES = pages()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(REFERENCE)))
def test_a_page_of_the_reference_is_what_the_code_makes(path: Path) -> None:
    assert path.read_text() == PAGES[path], "run: make docs"


def test_every_definition_of_the_protos_that_has_a_comment_tells_it() -> None:
    text = (REFERENCE / "api/recommender.md").read_text()

    assert "Whom to recommend for, at most 128 characters." in text
    assert "| `STRATEGY_POPULAR` | What most clients pay: " in text
