"""Moments as protobuf has them."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp


def timestamp_of(moment: datetime | None) -> Timestamp | None:
    """An aware moment as a Timestamp; None stays None, and the field unset."""
    if moment is None:
        return None
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp
