"""How many pages are in flight."""

from services.ingest.domain.pace import CALM_PAGES, Pace


def test_as_many_pages_as_allowed_are_in_flight_from_the_first_on() -> None:
    assert Pace(8).pages == 8


def test_trouble_halves_them_and_leaves_one() -> None:
    pace, seen = Pace(8), []
    for _ in range(5):
        pace.note(smooth=False)
        seen.append(pace.pages)

    assert seen == [4, 2, 1, 1, 1]


def test_they_come_back_one_by_one_after_calm_pages_and_never_beyond_what_is_allowed() -> None:
    pace, seen = Pace(3), []
    pace.note(smooth=False)
    for _ in range(4 * CALM_PAGES):
        pace.note(smooth=True)
        seen.append(pace.pages)

    assert (seen[CALM_PAGES - 2], seen[CALM_PAGES - 1], seen[-1]) == (1, 2, 3)


def test_a_new_trouble_begins_the_calm_anew() -> None:
    pace = Pace(2)
    pace.note(smooth=False)
    for smooth in [*[True] * (CALM_PAGES - 1), False, *[True] * (CALM_PAGES - 1)]:
        pace.note(smooth=smooth)

    assert pace.pages == 1
