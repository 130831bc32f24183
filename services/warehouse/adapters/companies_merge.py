"""The catalogue into its history: each load is the whole of it, as of one moment of the source's clock.

Of a code listed twice the row read later counts, the earlier one as unchanged: new + changed + unchanged = rows.
"""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.warehouse.domain.loads import CatalogueSizes, LoadCounts

STAGING = """
CREATE TEMPORARY TABLE incoming (
    company_id bigint NOT NULL,
    company_code text COLLATE "C" NOT NULL,
    company_name text NOT NULL,
    category_id bigint,
    category_name text,
    is_top_biller boolean,
    position bigint NOT NULL
) ON COMMIT DROP
"""
SIZES = """
WITH listed AS (SELECT DISTINCT company_code FROM incoming)
SELECT (SELECT count(*) FROM listed) AS listed, count(*) AS active,
    count(*) FILTER (WHERE l.company_code IS NULL) AS missing
FROM warehouse.companies LEFT JOIN listed AS l USING (company_code)
WHERE is_current AND NOT is_retired
"""
# What differs: companies never seen, changed, come back, or gone (listed = false; they keep their attributes).
# A version starts at the source's time, and always after the version that it ends, whatever the source's clock did.
DIFFERENCE = """
CREATE TEMPORARY TABLE difference ON COMMIT DROP AS
WITH listed AS (
    SELECT DISTINCT ON (company_code) * FROM incoming ORDER BY company_code, position DESC
), standing AS (
    SELECT * FROM warehouse.companies WHERE is_current
)
SELECT company_code, s.start_date AS previous_start, n.company_code IS NOT NULL AS listed,
    CASE WHEN n.company_code IS NULL THEN s.company_id ELSE n.company_id END AS company_id,
    CASE WHEN n.company_code IS NULL THEN s.company_name ELSE n.company_name END AS company_name,
    CASE WHEN n.company_code IS NULL THEN s.category_id ELSE n.category_id END AS category_id,
    CASE WHEN n.company_code IS NULL THEN s.category_name ELSE n.category_name END AS category_name,
    CASE WHEN n.company_code IS NULL THEN s.is_top_biller ELSE n.is_top_biller END AS is_top_biller
FROM listed AS n FULL JOIN standing AS s USING (company_code)
WHERE (s.company_code IS NULL)
    OR (n.company_code IS NULL AND NOT s.is_retired AND {retires})
    OR (n.company_code IS NOT NULL AND (s.is_retired
        OR n.company_id <> s.company_id
        OR n.company_name <> s.company_name
        OR n.category_id IS DISTINCT FROM s.category_id
        OR n.category_name IS DISTINCT FROM s.category_name
        OR n.is_top_biller IS DISTINCT FROM s.is_top_biller))
"""
COUNTS = """
SELECT (SELECT count(*) FROM incoming) AS row_count,
    count(*) FILTER (WHERE previous_start IS NULL) AS new_count,
    count(*) FILTER (WHERE previous_start IS NOT NULL AND listed) AS changed_count,
    count(*) FILTER (WHERE NOT listed) AS retired_count
FROM difference
"""
STARTS_AT = "greatest(CAST(:source_time AS timestamptz), d.previous_start + interval '1 microsecond')"
CLOSE_VERSIONS = f"""
UPDATE warehouse.companies AS c SET end_date = {STARTS_AT}, is_current = false
FROM difference AS d
WHERE c.company_code = d.company_code AND c.start_date = d.previous_start
"""
ADD_VERSIONS = f"""
INSERT INTO warehouse.companies (company_code, company_id, company_name, category_id, category_name, is_top_biller,
    is_retired, start_date, end_date, is_current, recorded_at, load_id)
SELECT company_code, company_id, company_name, category_id, category_name, is_top_biller,
    NOT listed, {STARTS_AT}, NULL, true, CAST(:recorded_at AS timestamptz), CAST(:load_id AS text)
FROM difference AS d
"""


async def catalogue_sizes(connection: AsyncConnection) -> CatalogueSizes:
    """Of the table `incoming`, beside what stands."""
    sizes = (await connection.execute(text(SIZES))).one()
    return CatalogueSizes(listed=sizes.listed, active=sizes.active, missing=sizes.missing)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the new versions of a load are marked with."""

    load_id: str
    source_time: datetime
    recorded_at: datetime


async def merge_companies(connection: AsyncConnection, stamp: Stamp, *, retires: bool) -> LoadCounts:
    """Merges the table `incoming`; what became of its rows, and how many companies it retired."""
    await connection.execute(text("ANALYZE incoming"))
    await connection.execute(text(DIFFERENCE.format(retires=retires)))
    counts = (await connection.execute(text(COUNTS))).one()
    await connection.execute(text(CLOSE_VERSIONS), {"source_time": stamp.source_time})
    await connection.execute(text(ADD_VERSIONS), asdict(stamp))
    return LoadCounts(
        new=counts.new_count,
        changed=counts.changed_count,
        unchanged=counts.row_count - counts.new_count - counts.changed_count,
        retired=counts.retired_count,
    )
