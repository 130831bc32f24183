"""Many texts as two arrays: what can be mapped, and opened without a look at each."""

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

WORD_BYTES = 8
# Of a character's bytes in UTF-8 all but the first have these two highest bits.
CONTINUATION, CONTINUATION_MASK = 0x80, 0xC0
CHUNK_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Texts:
    """`blob`: UTF-8, (bytes,) uint8; the text of a place is blob[offsets[place] : offsets[place + 1]]."""

    blob: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    _bytes: memoryview = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_bytes", self.blob.data)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, place: int) -> str:
        return self.encoded(place).decode()

    def encoded(self, place: int) -> bytes:
        """The text's UTF-8."""
        return bytes(self._bytes[self.offsets.item(place) : self.offsets.item(place + 1)])

    def part(self, first: int, beyond: int) -> "Texts":
        """A range of the texts, without a copy."""
        return Texts(self.blob, self.offsets[first : beyond + 1])

    def tolist(self) -> list[str]:
        """All of them."""
        return [self[place] for place in range(len(self))]

    def are_ascending(self) -> bool:
        """Whether each is above the one before it, in order of code points, which is that of UTF-8's bytes."""
        if not len(self.blob):
            return len(self) <= 1
        pairs, word = np.arange(len(self) - 1), 0
        lengths = np.diff(self.offsets)
        while len(pairs):
            left, right = self._words(pairs, word), self._words(pairs + 1, word)
            if (left > right).any():
                return False
            pairs, word = pairs[left == right], word + 1
            ended = lengths[pairs] <= word * WORD_BYTES
            if (lengths[pairs[ended] + 1] <= lengths[pairs[ended]]).any():
                return False
            pairs = pairs[~ended]
        return True

    def _words(self, places: NDArray[np.int64], word: int) -> NDArray[np.uint64]:
        """Eight bytes of each text as one number, zeros behind its end."""
        index = self.offsets[places][:, None] + np.arange(word * WORD_BYTES, (word + 1) * WORD_BYTES)
        inside = index < self.offsets[places + 1][:, None]
        gathered = np.where(inside, self.blob[np.where(inside, index, 0)], np.uint8(0))
        return gathered.view(">u8")[:, 0].astype(np.uint64)


def texts_of(texts: Sequence[str]) -> Texts:
    """The arrays of these texts."""
    encoded = [text.encode() for text in texts]
    offsets = np.fromiter(accumulate(map(len, encoded), initial=0), dtype=np.int64, count=len(encoded) + 1)
    return Texts(np.frombuffer(b"".join(encoded), dtype=np.uint8), offsets)


def text_problems(texts: Texts) -> Iterator[str]:
    """What stands in the way of reading them; nothing when every one of them can be read."""
    blob, offsets = texts.blob, texts.offsets
    if offsets[0] != 0 or offsets[-1] != len(blob) or (offsets[1:] < offsets[:-1]).any():
        yield f"offsets that rise from 0 to {len(blob)}"
        return
    begins = offsets[offsets < len(blob)]
    if not _is_utf8(blob) or ((blob[begins] & CONTINUATION_MASK) == CONTINUATION).any():
        yield "texts in UTF-8, cut between characters"


def _is_utf8(blob: NDArray[np.uint8]) -> bool:
    """A part at a time, so that other threads get their turn."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for first in range(0, len(blob), CHUNK_BYTES):
            decoder.decode(blob[first : first + CHUNK_BYTES].tobytes())
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
