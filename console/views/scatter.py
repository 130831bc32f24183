"""The map of companies: a circle a company, its area by its clients, its colour by its category."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from afin.indexer.v1 import indexer_pb2 as pb
from console.views import words

SIZE, EDGE = 900, 24
SMALLEST, LARGEST = 3.0, 16.0
# Categories with a colour of their own; the others, and companies without one, share the last.
COLOURS = 11
OTHERS = COLOURS
NO_CATEGORY = "others"


@dataclass(frozen=True, slots=True)
class Circle:
    """A company."""

    x: float
    y: float
    radius: float
    kind: int
    code: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Scatter:
    """Large circles lie below small ones; `legend`: categories with their colours and numbers of companies."""

    circles: tuple[Circle, ...]
    legend: tuple[tuple[str, int, int], ...]
    size: int = SIZE


def scatter(companies: Sequence[pb.CompanyPoint], chosen: str) -> Scatter:
    """`chosen`: the code of a company to point out."""
    counts = Counter(each.category_name or NO_CATEGORY for each in companies)
    named = [name for name, _ in counts.most_common() if name != NO_CATEGORY][:COLOURS]
    kinds = {name: number for number, name in enumerate(named)}
    most = max((each.clients for each in companies), default=0) or 1
    circles = tuple(_circle(each, kinds, most, chosen) for each in companies)
    legend = [(name, kinds[name], counts[name]) for name in named]
    rest = len(companies) - sum(counts[name] for name in named)
    return Scatter(circles, (*legend, *([(NO_CATEGORY, OTHERS, rest)] if rest else [])))


def _circle(company: pb.CompanyPoint, kinds: dict[str, int], most: int, chosen: str) -> Circle:
    reach = (SIZE - 2 * EDGE) / 2
    name = company.company_name or company.company_code
    category = company.category_name or "no category"
    return Circle(
        x=round(SIZE / 2 + company.x * reach, 1),
        y=round(SIZE / 2 - company.y * reach, 1),
        radius=round(SMALLEST + (LARGEST - SMALLEST) * (company.clients / most) ** 0.5, 1),
        kind=kinds.get(company.category_name, OTHERS),
        code=company.company_code,
        label=f"{name}, {category}, {words.counted(company.clients, 'client')}",
        is_chosen=company.company_code == chosen,
    )
