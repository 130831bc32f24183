def digest(content: bytes) -> int:
    """64 bits (SipHash-2-4), the same in every process.

    They need not withstand a source that wants two rows taken for one: it can as well leave one out.
    """
