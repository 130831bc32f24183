"""Whatever the source answers, in whatever order: the catalogue is the oracle's, and a refused one changes nothing."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import count

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.runtime.errors import FailedPrecondition
from services.runtime.objects.local import LocalObjectStore
from services.warehouse.domain.loads import LoadCounts
from services.warehouse.workflow import Loads
from tests.integration.warehouse.catalogue_oracle import Catalogue, CatalogueVersion, catalogue_history, is_taken
from tests.integration.warehouse.conftest import EMPTY
from tests.integration.warehouse.lake_writer import Company, put_companies
from tests.integration.warehouse.oracle import EPOCH, MICROSECOND

MIN_SHARE = 0.5
WEEK = timedelta(days=7)
IDS = count(1)
# Few codes, attributes that mostly repeat, and moments a microsecond apart: retirements, returns and ties are the rule.
CODES = ("A", "B", "C")
USUAL = Company("?")
ATTRIBUTES = st.one_of(
    *[st.just(USUAL)] * 7,
    st.builds(Company, st.just("?"), st.sampled_from([1, 2]), st.sampled_from(["Name", "Other"])),
    st.builds(
        Company, st.just("?"), category_id=st.sampled_from([None, 7]), is_top_biller=st.sampled_from([None, True])
    ),
    st.builds(Company, st.just("?"), category_name=st.sampled_from([None, "Other"])),
)
MOMENTS = st.sampled_from([EPOCH, EPOCH + MICROSECOND, EPOCH + 2 * MICROSECOND, EPOCH + WEEK])


@st.composite
def rows(draw: st.DrawFn) -> Company:
    """One row of a catalogue."""
    company = draw(ATTRIBUTES)
    values = (company.company_id, company.company_name, company.category_id, company.category_name)
    return Company(draw(st.sampled_from(CODES)), *values, company.is_top_biller)


@st.composite
def catalogues(draw: st.DrawFn) -> list[Catalogue]:
    """Answers mostly in the order of their times; some come late, are empty, partial, or lack a refused row."""
    answers = draw(
        st.lists(
            st.builds(
                Catalogue,
                st.lists(rows(), max_size=5).map(tuple),
                MOMENTS,
                st.sampled_from([0, 0, 0, 1]),
            ),
            min_size=2,
            max_size=6,
        )
    )
    return sorted(answers, key=lambda one: one.source_time) if draw(st.integers(0, 3)) else answers


# Each example empties the tables itself, and the fixtures only lend connections.
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(catalogues())
async def test_any_sequence_of_catalogues_gives_the_versions_of_the_oracle(
    loads: Loads, object_store: LocalObjectStore, connection: asyncpg.Connection, answers: list[Catalogue]
) -> None:
    await connection.execute(EMPTY)
    taken: list[Catalogue] = []
    for one in answers:
        counts = await _load(loads, object_store, one)
        assert (counts is not None) == is_taken(taken, one, MIN_SHARE)
        if counts is not None:
            taken.append(one)
            assert counts.rows == len(one.rows)
        assert await _stored(connection) == catalogue_history(taken)


async def _load(loads: Loads, store: LocalObjectStore, one: Catalogue) -> LoadCounts | None:
    run_id = f"catalogue-{next(IDS)}"
    request = put_companies(store, run_id, one.rows, source_time=one.source_time, refused=one.refused)
    with suppress(FailedPrecondition):
        return (await loads.load_companies(request)).counts
    return None


async def _stored(connection: asyncpg.Connection) -> set[CatalogueVersion]:
    found: Sequence[asyncpg.Record] = await connection.fetch("SELECT * FROM warehouse.companies")
    names = ("company_code", "company_id", "company_name", "category_id", "category_name", "is_top_biller")
    versions = {
        CatalogueVersion(Company(*(row[name] for name in names)), row["is_retired"], row["start_date"], row["end_date"])
        for row in found
    }
    assert len(versions) == len(found)
    assert all(row["is_current"] == (row["end_date"] is None) for row in found)
    return versions
