"""Codes that look random, never repeat, and are the same for the same seed."""

import numpy as np

_ODD = 0x9E37_79B9_7F4A_7C15


def distinct_codes(random: np.random.Generator, prefix: str, digits: int, count: int) -> list[str]:
    """`count` different codes of `digits` hex digits: the multiples of an odd number meet each value once."""
    modulus, start = 16**digits, int(random.integers(2**62))
    return [f"{prefix}{(start + i * _ODD) % modulus:0{digits}x}" for i in range(count)]


def random_ids(random: np.random.Generator, count: int) -> list[str]:
    """`count` ids of 32 hex digits, which differ as those of uuid4 do."""
    text = random.bytes(16 * count).hex()
    return [text[i : i + 32] for i in range(0, len(text), 32)]
