"""The companies of the made-up world: who they are, how popular, how dear, and since when they can be paid."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from demo.dataset import COMPANY_SCHEMA
from demo.population.categories import CATEGORIES
from demo.population.codes import distinct_codes
from demo.population.names import company_names

ZIPF_EXPONENT = 1.0
NEWCOMERS = 0.15
WITHOUT_CATEGORY = 0.04
TOP_BILLERS = 0.05
FIRST_CATEGORY_ID = 101
# Ids are sparse, and one in fifty is huge, as ids of grown systems are.
_ID_RANGE = 10_000_000
_HUGE_ID = 9_000_000_000_000
_PRICE_SPREAD = 0.35


@dataclass(frozen=True)
class Catalogue:
    """One entry per company in each array; `popularity` sums to 1, `first_day` counts from the first day of all."""

    codes: list[str]
    category: NDArray[np.int64]
    popularity: NDArray[np.float64]
    price: NDArray[np.float64]
    first_day: NDArray[np.float64]

    def traits(self, trait: str) -> NDArray[np.float64]:
        """A numeric field of each company's category."""
        return np.array([getattr(category, trait) for category in CATEGORIES], np.float64)[self.category]


def draw_catalogue(random: np.random.Generator, companies: int, days: int) -> Catalogue:
    """Zipf popularity over all companies, at least one in each category; some of them open during the period."""
    shares = np.array([category.share for category in CATEGORIES])
    rest = random.choice(len(CATEGORIES), size=companies - len(CATEGORIES), p=shares / shares.sum())
    category = random.permutation(np.concatenate([np.arange(len(CATEGORIES)), rest]))
    popularity = random.permutation(np.arange(1, companies + 1) ** -ZIPF_EXPONENT)
    opens = np.where(random.random(companies) < NEWCOMERS, random.uniform(0, days, companies), 0.0)
    typical = np.array([kind.typical for kind in CATEGORIES])[category]
    return Catalogue(
        codes=distinct_codes(random, "c", 10, companies),
        category=category,
        popularity=popularity / popularity.sum(),
        price=typical * random.lognormal(0, _PRICE_SPREAD, companies),
        first_day=opens,
    )


def companies_table(random: np.random.Generator, catalogue: Catalogue) -> pa.Table:
    """The catalogue as the source lists it; a few companies have no category."""
    kinds = [CATEGORIES[index] for index in catalogue.category]
    count = len(kinds)
    unknown = random.random(count) < WITHOUT_CATEGORY
    columns = {
        "company_id": _draw_ids(random, count),
        "company_code": catalogue.codes,
        "company_name": company_names(random, [kind.nouns for kind in kinds]),
        "category_id": pa.array(catalogue.category + FIRST_CATEGORY_ID, mask=unknown),
        "category_name": pa.array([kind.name for kind in kinds], mask=unknown),
        "is_top_biller": catalogue.popularity >= np.quantile(catalogue.popularity, 1 - TOP_BILLERS),
    }
    return pa.table(columns, schema=COMPANY_SCHEMA)


def _draw_ids(random: np.random.Generator, count: int) -> NDArray[np.int64]:
    ids = random.choice(_ID_RANGE, size=count, replace=False).astype(np.int64) + 1
    return np.where(np.arange(count) % 50 == 49, ids + _HUGE_ID, ids)
