"""grpc's asyncio server, stopped so that no call is lost."""

import asyncio
from datetime import timedelta
from typing import Any

import grpc

from services.runtime.access.admission import Admission
from services.runtime.aio_interceptor import AioInterceptor
from services.runtime.calls import Method

QUIET = timedelta(milliseconds=50)


class AioServer:
    """Register servicers and ports as on any server of grpc's; `inner` is that itself."""

    def __init__(
        self, admission: Admission, options: tuple[tuple[str, Any], ...], most_calls: int, kind: type[Method] = Method
    ) -> None:
        self._interceptor = AioInterceptor(admission, most_calls, kind)
        self.inner = grpc.aio.server(interceptors=[self._interceptor], options=options)
        self.start = self.inner.start
        self.add_generic_rpc_handlers = self.inner.add_generic_rpc_handlers
        self.add_registered_method_handlers = self.inner.add_registered_method_handlers
        self.add_insecure_port = self.inner.add_insecure_port
        self.add_secure_port = self.inner.add_secure_port

    async def stop(self, grace: float) -> None:
        """Refuses new calls, and ends those in flight that outlast `grace` seconds.

        Core cancels the calls that nobody has taken up when the server stops, which no client repeats. So calls are
        held for a moment before and after: callers that wait send no others, and the loop is free to take up the rest.
        """
        with self._interceptor.holding():
            await asyncio.sleep(QUIET.total_seconds())
            stopping = asyncio.create_task(self.inner.stop(grace))
            await asyncio.sleep(QUIET.total_seconds())
        await stopping
