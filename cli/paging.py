"""Listings as long as they were asked for, page after page."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Protocol, TypeVar

import typer

# A page of any listing may be this large.
PAGE = 200

LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, max=100_000, help="How many at most.")]


class Listing(Protocol):
    """A page: rows in a repeated field, and where the next one begins."""

    next_page_token: str


Page = TypeVar("Page", bound=Listing)


async def gathered(ask: Callable[[int, str], Awaitable[Page]], field: str, limit: int) -> Page:
    """The pages that `ask(page_size, page_token)` gives as one answer, with at most `limit` of the repeated `field`."""
    answer = await ask(min(PAGE, limit), "")
    rows = getattr(answer, field)
    while len(rows) < limit and answer.next_page_token:
        page = await ask(min(PAGE, limit - len(rows)), answer.next_page_token)
        rows.extend(getattr(page, field))
        answer.next_page_token = page.next_page_token
    return answer


def more(answer: Listing) -> str:
    """What is said below a listing that goes on; empty for one that is whole."""
    return "there are more; -n asks for them" if answer.next_page_token else ""
