"""Listings as long as they were asked for, page after page."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Protocol, TypeVar

import typer

from cli.afin_calls import SHORT

# A page of any listing may be this large.
PAGE = 200

LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, max=100_000, help="How many at most.")]


class Asked(Protocol):
    """What any listing is asked: how many rows, and from where on."""

    page_size: int
    page_token: str


class Listing(Protocol):
    """A page: rows in a repeated field, and where the next one begins."""

    next_page_token: str


Page = TypeVar("Page", bound=Listing)


async def gathered(method: Callable[..., Awaitable[Page]], asked: Asked, field: str, limit: int) -> Page:
    """The pages that a method gives as one answer, with at most `limit` of the repeated `field`. Changes `asked`."""
    asked.page_size = min(PAGE, limit)
    answer = await method(asked, timeout=SHORT)
    rows = getattr(answer, field)
    while len(rows) < limit and answer.next_page_token:
        asked.page_size, asked.page_token = min(PAGE, limit - len(rows)), answer.next_page_token
        page = await method(asked, timeout=SHORT)
        rows.extend(getattr(page, field))
        answer.next_page_token = page.next_page_token
    return answer


def more(answer: Listing) -> str:
    """What is said below a listing that goes on; empty for one that is whole."""
    return "there are more; -n asks for them" if answer.next_page_token else ""
