"""Pages of the source as JSON text: PostgreSQL builds the whole list, so that no row passes through Python."""

from datetime import datetime

import asyncpg

_TIME = """to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') AS {0}"""

# The key's index alone walks over the offset; only the rows of the page are read from the table.
_PAYMENTS = f"""
WITH page AS (
    SELECT id, company_code FROM source.payments WHERE updated_at > $1 ORDER BY id, company_code LIMIT $2 OFFSET $3
), listed AS (
    SELECT id, {_TIME.format("payment_at")}, company_code, status, amount, external_client_id,
           {_TIME.format("created_at")}, {_TIME.format("updated_at")}
    FROM page JOIN source.payments USING (id, company_code) ORDER BY id, company_code
)
SELECT '[' || coalesce(string_agg(row_to_json(listed)::text, ','), '') || ']' FROM listed
"""

_COMPANIES = """
WITH listed AS (
    SELECT id, company_code, company_name, category_id, category_name, is_top_biller
    FROM source.companies ORDER BY id, company_code LIMIT $1 OFFSET $2
)
SELECT '[' || coalesce(string_agg(json_strip_nulls(row_to_json(listed))::text, ','), '') || ']' FROM listed
"""


async def payments_page(pool: asyncpg.Pool, updated_after: datetime, limit: int, offset: int) -> str:
    """A JSON list of the payments with updated_at > `updated_after`, by id and company_code; null where unknown."""
    return str(await pool.fetchval(_PAYMENTS, updated_after, limit, offset))


async def companies_page(pool: asyncpg.Pool, limit: int, offset: int) -> str:
    """A JSON list of the companies by id; a field that is not known is left out."""
    return str(await pool.fetchval(_COMPANIES, limit, offset))
