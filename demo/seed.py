"""`python -m demo.seed`: fills an empty source with generated payments up to today; one that holds any is kept."""

import asyncio
import sys
from datetime import date

from demo.generator import generate
from demo.population.parameters import GeneratorParameters
from demo.source.database import SourceDatabaseError, database_errors, open_connection
from demo.source.settings import SourceSettings
from demo.source.store import create_schema, load
from services.runtime.clock import utc_now
from services.runtime.settings import load_settings


async def seed(url: str, today: date) -> str:
    """Says in one line what was done; SourceDatabaseError when the database at `url` cannot be used."""
    async with open_connection(url) as connection:
        with database_errors():
            await create_schema(connection)
            if await connection.fetchval("SELECT EXISTS (SELECT FROM source.datasets)"):
                return "the source holds payments already; nothing was made"
            dataset = await asyncio.to_thread(generate, GeneratorParameters(end=today))
            report = await load(connection, dataset)
    return f"made {report.payments} payments to {report.companies} companies"


def main() -> None:
    """Reads SOURCE_DATABASE_URL and seeds; exits with 1 when the database is away."""
    settings = load_settings(SourceSettings)
    try:
        print(asyncio.run(seed(settings.database_url.get_secret_value(), utc_now().date())))
    except SourceDatabaseError as error:
        sys.exit(f"seed: {error}")


if __name__ == "__main__":
    main()
