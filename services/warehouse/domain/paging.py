"""Page tokens: where a listing goes on, opaque to callers. The key of the last row, never a number of rows."""

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import UTC, datetime

from services.warehouse.domain.fields import WrongField

BROKEN_TOKEN = "is not a token of this listing; give back next_page_token unchanged, or leave it out"  # noqa: S105


def page_token(key: Sequence[str]) -> str:
    """A token for the rows after `key`."""
    return base64.urlsafe_b64encode(json.dumps(list(key)).encode()).decode()


def key_of_token(token: str, parts: int) -> list[str]:
    """The key that a token was made from; WrongField when it holds anything but `parts` strings."""
    try:
        key = json.loads(base64.b64decode(token.encode(), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise WrongField("page_token", BROKEN_TOKEN) from None
    if not isinstance(key, list) or len(key) != parts or not all(_is_storable(part) for part in key):
        raise WrongField("page_token", BROKEN_TOKEN)
    return key


def moment_of_token(part: str) -> datetime:
    """A moment in UTC out of a token's key."""
    try:
        moment = datetime.fromisoformat(part)
        if moment.tzinfo is None:
            raise ValueError("no time zone")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise WrongField("page_token", BROKEN_TOKEN) from None


def _is_storable(part: object) -> bool:
    return isinstance(part, str) and not any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in part)
