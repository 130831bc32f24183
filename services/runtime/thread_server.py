"""grpc's server of threads with the face of its asyncio server, so that one code serves with either."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, cast

import grpc

from services.runtime.access.admission import Admission
from services.runtime.arrival import require_inside
from services.runtime.call_pool import CallPool, PoolLimits
from services.runtime.thread_interceptor import ThreadInterceptor

SWEEP_INTERVAL = timedelta(seconds=1)


class ThreadServer:
    """Register servicers and ports as on any server of grpc's; started and stopped from an event loop."""

    def __init__(self, admission: Admission, options: tuple[tuple[str, Any], ...], limits: PoolLimits) -> None:
        require_inside()
        self._pool = CallPool(limits)
        pool = cast("ThreadPoolExecutor", self._pool)
        self._server = grpc.server(pool, interceptors=[ThreadInterceptor(admission)], options=options)
        self._sweeping: asyncio.Task[None] | None = None
        self.add_generic_rpc_handlers = self._server.add_generic_rpc_handlers
        self.add_registered_method_handlers = self._server.add_registered_method_handlers
        self.add_insecure_port = self._server.add_insecure_port
        self.add_secure_port = self._server.add_secure_port

    async def start(self) -> None:
        """Takes calls from now on."""
        self._server.start()
        self._sweeping = asyncio.create_task(self._sweep())

    async def stop(self, grace: float) -> None:
        """Refuses new calls, and ends those in flight that outlast `grace` seconds."""
        await asyncio.to_thread(self._server.stop(grace).wait)
        if self._sweeping:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)
        await asyncio.to_thread(self._pool.close)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_INTERVAL.total_seconds())
            self._pool.sweep()
