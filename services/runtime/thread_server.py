"""grpc's server of threads with the face of its asyncio server, so that one code serves with either."""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, cast

import grpc

from services.runtime.access.admission import Admission
from services.runtime.arrival import require_inside, take_up_all
from services.runtime.call_pool import CallPool, PoolLimits
from services.runtime.thread_interceptor import ThreadInterceptor

SWEEP_INTERVAL = timedelta(seconds=1)
# How long a thread with work may keep the interpreter while the polling thread waits for it; Python's own is ten times
# that, and quick calls beside work become slow (ADR 0023).
SWITCH_INTERVAL = timedelta(milliseconds=0.5)


class ThreadServer:
    """Register servicers and ports as on any server of grpc's; `inner` is that itself."""

    def __init__(self, admission: Admission, options: tuple[tuple[str, Any], ...], limits: PoolLimits) -> None:
        require_inside()
        self._pool = CallPool(limits)
        pool = cast("ThreadPoolExecutor", self._pool)
        self.inner = grpc.server(pool, interceptors=[ThreadInterceptor(admission)], options=options)
        self._switch_interval = sys.getswitchinterval()
        self._sweeping: asyncio.Task[None] | None = None
        self.add_generic_rpc_handlers = self.inner.add_generic_rpc_handlers
        self.add_registered_method_handlers = self.inner.add_registered_method_handlers
        self.add_insecure_port = self.inner.add_insecure_port
        self.add_secure_port = self.inner.add_secure_port

    async def start(self) -> None:
        """Takes calls from now on."""
        self._switch_interval = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_INTERVAL.total_seconds())
        self.inner.start()
        self._sweeping = asyncio.create_task(self._sweep())

    async def stop(self, grace: float) -> None:
        """Refuses new calls, and ends those in flight that outlast `grace` seconds."""
        take_up_all(self.inner)
        await asyncio.to_thread(self.inner.stop(grace).wait)
        if self._sweeping:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)
        await asyncio.to_thread(self._pool.close)
        sys.setswitchinterval(self._switch_interval)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_INTERVAL.total_seconds())
            self._pool.sweep()
