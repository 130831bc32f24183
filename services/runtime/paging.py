"""Pages of a listing: their size, and the opaque token that says where the next one begins."""

import base64
import binascii

from services.runtime.errors import InvalidArgument


def page_size(size: int, largest: int, usual: int) -> int:
    """The number of rows of a page, as asked; 0 stands for `usual`. InvalidArgument out of range."""
    if not 0 <= size <= largest:
        raise InvalidArgument("page_size", f"must be 1 to {largest}; 0 or absent means {usual}")
    return size or usual


def page_token(place: str) -> str:
    """The token that stands for a place in a listing."""
    return base64.urlsafe_b64encode(place.encode()).decode()


def place_of_token(token: str) -> str:
    """The place that a token was made from; InvalidArgument for one that is no text in base64."""
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        raise wrong_token() from None


def wrong_token() -> InvalidArgument:
    """The error of a token that we did not give."""
    return InvalidArgument("page_token", "is not one that an earlier page gave; begin without it")
