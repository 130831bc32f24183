"""Companies whose codes are in order, every other one of category 7."""

from services.contracts.company_columns import CompanyColumns


def columns(count: int) -> CompanyColumns:
    """Codes C000, C001, …; names with more bytes than characters."""
    return CompanyColumns(
        company_id=[10**12 + number for number in range(count)],
        company_code=[f"C{number:03d}" for number in range(count)],
        company_name=[f"Société {number}" for number in range(count)],
        category_id=[7 if number % 2 else None for number in range(count)],
        category_name=["Écoles" if number % 2 else "unnumbered" for number in range(count)],
        is_top_biller=[(True, False, None)[number % 3] for number in range(count)],
        average_amount=[None if number == 0 else 1.5 * number for number in range(count)],
        average_days_between=[None] * count,
    )
