class Buffer:
    """Bytes that Arrow may keep."""

    def __buffer__(self, flags: int, /) -> memoryview: ...

class Limits:
    """Of a page: rows; of a row: bytes, characters of its texts, bytes of a text as written, and its moments.

    Moments in microseconds since 1970, from `first` to before `end`.
    """

    def __init__(
        self,
        *,
        rows: int,
        row_bytes: int,
        id_characters: int,
        text_characters: int,
        group_bytes: int,
        first: int,
        end: int,
    ) -> None: ...

Column = tuple[int, Buffer | None, *tuple[Buffer, ...]]
"""How many are null, which are not, and the buffers of the values."""
Found = tuple[int, list[Column], list[str], list[int], tuple[int | None, int | None]]

def columns_of(body: bytes, limits: Limits) -> Found | None:
    """Rows, a column each of the lake's fields, groups, fingerprints, the newest payment_at and updated_at.

    None: the page is not ordinary.
    """
