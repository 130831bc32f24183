"""Index versions and their companies as pictures."""

from datetime import UTC, datetime

from afin.indexer.v1 import indexer_pb2 as pb
from console.views.quality import coverage_over_time, quality_over_time
from console.views.scatter import COLOURS, EDGE, LARGEST, OTHERS, SIZE, scatter
from services.runtime.timestamps import timestamp_of


def version(name: str, day: int, task: pb.TaskQuality | None = None) -> pb.IndexVersion:
    """Built on that day of November."""
    built = timestamp_of(datetime(2026, 11, day, tzinfo=UTC))
    return pb.IndexVersion(version=name, built_at=built, quality=pb.Quality(new_companies=task))


def company(number: int, clients: int = 1, category: str = "", x: float = 0, y: float = 0) -> pb.CompanyPoint:
    """At the centre, unless a place is given."""
    return pb.CompanyPoint(company_code=f"c{number}", clients=clients, category_name=category, x=x, y=y)


def test_quality_is_drawn_beside_popularity_oldest_first_and_has_a_gap_where_nobody_was_judged() -> None:
    judged = pb.TaskQuality(clients=10, ndcg=0.5, popularity_ndcg=0.25, coverage=0.75)
    versions = [version("v3", 3, judged), version("v2", 2), version("v1", 1, judged)]

    ours, popularity = quality_over_time(versions).lines
    (coverage,) = coverage_over_time(versions).lines

    assert [dot.label for dot in ours.dots] == ["v1: 0.500", "v3: 0.500"]
    assert [dot.href for dot in popularity.dots] == ["/index/versions/v1", "/index/versions/v3"]
    assert ours.path.count("M") == coverage.path.count("M") == 2
    assert [tick.label for tick in quality_over_time(versions).columns] == ["01 Nov", "02 Nov", "03 Nov"]


def test_a_company_has_its_place_and_an_area_by_its_clients() -> None:
    found = scatter([company(1, 400, x=1, y=1), company(2, 100, x=-1, y=0)], "c2")

    first, second = found.circles
    assert (first.x, first.y, first.radius) == (SIZE - EDGE, EDGE, LARGEST)
    assert (second.x, second.y) == (EDGE, SIZE / 2)
    assert second.radius < first.radius
    assert [circle.is_chosen for circle in found.circles] == [False, True]
    assert second.label == "c2, no category, 100 clients"


def test_the_most_frequent_categories_have_colours_and_the_others_share_one() -> None:
    frequent = [company(number, category=f"k{number % COLOURS}") for number in range(2 * COLOURS)]
    found = scatter([*frequent, company(90, category="rare"), company(91)], "")

    assert found.legend[:2] == (("k0", 0, 2), ("k1", 1, 2))
    assert found.legend[-1] == ("others", OTHERS, 2)
    assert [circle.kind for circle in found.circles[-2:]] == [OTHERS, OTHERS]
    assert sum(count for _, _, count in found.legend) == len(found.circles)


def test_of_no_company_nothing_is_drawn() -> None:
    assert (scatter([], "").circles, scatter([], "").legend) == ((), ())
