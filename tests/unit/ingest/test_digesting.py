"""Fingerprints are SipHash-2-4: these are the vectors of its authors, each of the bytes 0, 1, 2 … so many."""

import pytest

from services.ingest.domain.digesting import digest


@pytest.mark.parametrize(
    ("length", "found"),
    [
        (0, 0x726FDB47DD0E0E31),
        (1, 0x74F839C593DC67FD),
        (7, 0xAB0200F58B01D137),
        (8, 0x93F5F5799A932462),
        (15, 0xA129CA6149BE45E5),
        (63, 0x958A324CEB064572),
    ],
)
def test_a_digest_is_that_of_the_paper(length: int, found: int) -> None:
    assert digest(bytes(range(length))) == found
