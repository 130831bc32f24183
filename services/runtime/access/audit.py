"""One line of the logger `audit` for each call that operates or administers: who, what, and how it ended.

Of the request it tells numbers, switches, names of choices and times; text only where the call was answered, and then
only ids that are ours and days. What a caller may write freely is not told: it could hold a client's id.
"""

from typing import Any

import structlog
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

LOGGER = "audit"
TEXTS = frozenset(
    {"build_id", "erasure_id", "experiment", "first_day", "last_day", "load_id", "run_id", "version"},
)

log = structlog.get_logger(LOGGER)


def audit(who: str, peer: str, code: str, request: object, answer: object) -> None:
    """Writes the line; the method is bound to the log's context by the caller. `answer`: None where there was none."""
    answered = code == "OK"
    log.info("call", who=who, peer=peer, code=code, request=told_of(request, answered), answer=_ids_in(answer))


def told_of(message: object, with_text: bool) -> dict[str, Any]:
    """The fields that are set and safe to tell; those of TEXTS only `with_text`."""
    if not isinstance(message, Message):
        return {}
    told = {field.name: _value(field, value) for field, value in message.ListFields()}
    return {name: value for name, value in told.items() if _is_safe(name, value, with_text)}


def _value(field: Any, value: object) -> object:
    if isinstance(value, Timestamp | Duration):
        try:
            return _Told(value.ToJsonString())
        except ValueError:
            return _Told("out of range")
    if field.enum_type is not None and isinstance(value, int):
        known = field.enum_type.values_by_number.get(value)
        return _Told(known.name) if known is not None else value
    return value


class _Told(str):
    """Text that we made ourselves."""

    __slots__ = ()


def _is_safe(name: str, value: object, with_text: bool) -> bool:
    if isinstance(value, str) and not isinstance(value, _Told):
        return with_text and name in TEXTS
    return isinstance(value, bool | int | float | _Told)


def _ids_in(answer: object) -> dict[str, Any]:
    """Ids of the answer and of the messages right inside it: of a run, an erasure, a load, a version."""
    if not isinstance(answer, Message):
        return {}
    inside = [value for _, value in answer.ListFields() if isinstance(value, Message)]
    ids: dict[str, Any] = {}
    for message in (*inside, answer):
        ids.update({name: value for name, value in told_of(message, with_text=True).items() if name in TEXTS})
    return ids
