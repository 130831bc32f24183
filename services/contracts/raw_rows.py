"""What the text of a refused row tells: the key of its payment, where it can be read."""

import json
import re
from typing import Any

# What no key in the warehouse holds. Its length is no matter here: rules of earlier versions took longer ones.
UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

Key = tuple[str, str]


def key_of_raw(raw: str) -> Key | None:
    """(payment_id, company_code) as the row would have had them; None where its text does not tell both."""
    try:
        fields = json.loads(raw, strict=False)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    payment_id, company_code = _identifier(fields.get("id")), _identifier(fields.get("company_code"))
    return (payment_id, company_code) if payment_id and company_code else None


def _identifier(value: Any) -> str | None:
    """Text without space around it; a whole number stands for its digits."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or UNFIT.search(text.strip()):
        return None
    return text.strip()
