"""Work that takes long asks between its parts whether anybody still waits for the answer."""

import grpc

from services.runtime.errors import Cancelled


def check_wanted(context: grpc.ServicerContext) -> None:
    """Raises Cancelled when the caller has gone, or its deadline has passed."""
    if not context.is_active():
        raise Cancelled("nobody waits for the answer any more")
