"""The fast way from a page's bytes to columns of payments, without an object a value.

The rules of services.ingest.domain.validation decide what a payment is. Here are only pages whose rows are all good by
those rules, and ordinarily written; of any other page nothing is said, and the rules take it row by row.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from json import JSONDecodeError, JSONDecoder
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from services.contracts.identifiers import MAX_ID_CHARACTERS
from services.contracts.lake import PAYMENTS_SCHEMA, TIMESTAMP
from services.ingest.domain.page_rows import fields_of, fingerprints_of
from services.ingest.domain.rows import MAX_ROW, PAYMENT_FIELDS
from services.ingest.domain.values import FIRST_YEAR, LAST_YEAR

# Of the names that the source gives the lake's fields.
SOURCE_NAMES = {"payment_id": "id"}
IDENTIFIERS = ("id", "company_code", "external_client_id")
TEXTS = (*IDENTIFIERS, "status")
MOMENTS = ("payment_at", "created_at", "updated_at")
# Room for every amount that the warehouse can hold, and for the noise that floats leave behind it.
EXACT = pa.decimal128(38, 20)
MONEY = PAYMENTS_SCHEMA.field("amount").type
WHITE = "".join(character for character in map(chr, range(0x3001)) if character.isspace())
# Without one of these a page holds no control character: Arrow takes none that is not escaped, but DEL and the C1 set.
CONTROL_BYTES = (b"\\", b"\x7f", b"\xc2")
CONTROL = "[\x00-\x1f\x7f-\u009f]"
FIRST, END = (pa.scalar(datetime(year, 1, 1, tzinfo=UTC), TIMESTAMP) for year in (FIRST_YEAR, LAST_YEAR + 1))

Columns = tuple[pa.RecordBatch, pa.Array, Sequence[str], Sequence[int]]


class _Extraordinary(Exception):
    """The page is one for the rules."""


def payment_columns(body: bytes, most: int) -> Columns | None:
    """What PageRows needs of a page: columns, reasons (none), groups and fingerprints. None: take it row by row."""
    try:
        found = _rows(body)
        _require(0 < len(found) <= most)
        _require_small_rows(body)
        _require_payment_at(body, found["payment_at"])
        columns = _columns(found)
        if any(byte in body for byte in CONTROL_BYTES):
            _require_printable(columns)
    except (_Extraordinary, pa.ArrowException, UnicodeDecodeError):
        return None
    groups = _written(found["id"]).to_pylist()
    return columns, pa.nulls(len(columns), pa.string()), groups, fingerprints_of(columns)


def _rows(body: bytes) -> pa.RecordBatch:
    """The fields as they were written. Arrow itself refuses a field given twice, and one of two types."""
    # One list and none within: whatever stands in the body cannot get out of the object that is put around it.
    stripped = body.strip()
    _require(stripped.startswith(b"[") and stripped.endswith(b"]") and stripped.find(b"[", 1) < 0)
    whole, types = b'{"rows":' + body + b"}", _types(_text(body))
    try:
        return _read(whole, types)
    except pa.ArrowInvalid:  # perhaps for an amount of more than two places
        return _read(whole, types | {"amount": EXACT})


def _read(whole: bytes, types: Mapping[str, pa.DataType]) -> pa.RecordBatch:
    options = pj.ReadOptions(use_threads=False, block_size=len(whole) + 1)
    schema = pa.schema([("rows", pa.list_(pa.struct(list(types.items()))))])
    parsing = pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    # One object, which is one block: one chunk of one list.
    rows = pj.read_json(pa.BufferReader(whole), options, parsing)["rows"].chunk(0).flatten()
    _require(rows.null_count == 0)
    return pa.RecordBatch.from_struct_array(rows)


def _text(body: bytes) -> str:
    """As much of it as may hold the first row. Arrow looks at no byte of a text: here all must be UTF-8."""
    return body[:MAX_ROW].decode() if body.isascii() else body.decode()


def _types(text: str) -> dict[str, pa.DataType]:
    """Ids are text or whole numbers: the first row tells which, and the rest must be like it.

    Moments come in UTC, text without a zone too. Arrow takes fewer writings of a time than the rules, and those alike.
    """
    try:
        first: Any = JSONDecoder().raw_decode(text, max(text.find("{"), 0))[0]
    except (JSONDecodeError, RecursionError, ValueError):
        raise _Extraordinary from None
    whole = {name for name in IDENTIFIERS if isinstance(first, dict) and type(first.get(name)) is int}
    types = dict.fromkeys(TEXTS, pa.string()) | dict.fromkeys(MOMENTS, TIMESTAMP)
    return types | {"amount": MONEY} | dict.fromkeys(whole, pa.int64())


def _require_small_rows(body: bytes) -> None:
    """No row is longer than two stretches between one `updated_at` and the next."""
    name, at = b'"updated_at"', 0
    while len(body) - at > MAX_ROW // 2:
        at = body.rfind(name, at + 1, at + MAX_ROW // 2)
        _require(at > 0)


def _require_payment_at(body: bytes, column: pa.Array) -> None:
    """It may be null but not missing, which Arrow does not tell apart: names are counted, where nothing else is one."""
    if column.null_count:
        # One character is taken out and the loss measured in a third of the time that it is counted in.
        objects = len(body) - len(body.replace(b"{", b""))
        _require(objects == len(column) == body.count(b'"payment_at":') and b"\\" not in body)


def _columns(found: pa.RecordBatch) -> pa.RecordBatch:
    _require(all(found[name].null_count == 0 for name in PAYMENT_FIELDS if name != "payment_at"))
    _require_in_range(found)
    made = _texts(found) | {name: found[name] for name in MOMENTS} | {"amount": _money(found["amount"])}
    schema = fields_of(PAYMENTS_SCHEMA)
    arrays = [made[SOURCE_NAMES.get(name, name)] for name in schema.names]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _texts(found: pa.RecordBatch) -> dict[str, pa.Array]:
    """All as one column: a step of Arrow's costs more than what it does to a page."""
    together = pa.concat_arrays([_written(found[name]) for name in TEXTS])
    stripped = pc.utf8_trim(together, characters=WHITE)
    lengths = pc.min_max(pc.binary_length(stripped)).as_py()
    # More bytes may be as many characters as are allowed, and a longer status is good: both are for the rules.
    _require(lengths["min"] > 0 and lengths["max"] <= MAX_ID_CHARACTERS)
    return _apart(stripped, TEXTS)


def _written(column: pa.Array) -> pa.Array:
    return column if pa.types.is_string(column.type) else pc.cast(column, pa.string())


def _apart(together: pa.Array, names: Sequence[str]) -> dict[str, pa.Array]:
    rows = len(together) // len(names)
    return {name: together.slice(place * rows, rows) for place, name in enumerate(names)}


def _require_printable(columns: pa.RecordBatch) -> None:
    texts = (column for column in columns.columns if pa.types.is_string(column.type))
    _require(not any(pc.any(pc.match_substring_regex(text, CONTROL)).as_py() for text in texts))


def _money(column: pa.Array) -> pa.Array:
    if column.type == MONEY:
        column.validate(full=True)  # a reader of JSON lets 1e17 through
        return column
    return pc.cast(pc.round(column, 2, round_mode="half_towards_infinity"), MONEY)


def _require_in_range(found: pa.RecordBatch) -> None:
    span = pc.min_max(pa.concat_arrays([found[name] for name in MOMENTS]))
    _require(FIRST.value <= span["min"].value and span["max"].value < END.value)


def _require(ordinary: bool) -> None:
    if not ordinary:
        raise _Extraordinary
