"""grpc's server of threads with the face of its asyncio server, so that one code serves with either."""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import grpc

from services.runtime.access.admission import Admission
from services.runtime.arrival import take_up_all
from services.runtime.call_loop import CallLoop
from services.runtime.call_pool import CallPool, PoolLimits
from services.runtime.calls import Method
from services.runtime.insides import require_inside
from services.runtime.thread_interceptor import ThreadInterceptor
from services.runtime.unary_call import UnaryMethod

# How long a thread with work may keep the interpreter while the polling thread waits for it; Python's own is 50 times
# that, and quick calls and refusals beside work become slow (ADR 0023).
SWITCH_INTERVAL = timedelta(milliseconds=0.1)


@dataclass
class _Details:
    """See grpc.HandlerCallDetails: of a method, before there is a call."""

    method: str
    invocation_metadata: tuple[tuple[str, str | bytes], ...] = ()


class ThreadServer:
    """Register servicers and ports as on any server of grpc's; `inner` is that itself."""

    def __init__(
        self,
        admission: Admission,
        options: tuple[tuple[str, Any], ...],
        limits: PoolLimits,
        kind: type[Method] = Method,
    ) -> None:
        """`kind`: see ThreadInterceptor."""
        require_inside()
        self._pool = CallPool(limits)
        pool = cast("ThreadPoolExecutor", self._pool)
        self._interceptor = ThreadInterceptor(admission, kind)
        self._methods: dict[str, UnaryMethod] = {}
        self.inner = grpc.server(pool, interceptors=[self._interceptor], options=options)
        self._loop = CallLoop(self.inner, self._methods, self._pool.take_up, self._pool.sweep)
        self._switch_interval = sys.getswitchinterval()
        self.add_generic_rpc_handlers = self.inner.add_generic_rpc_handlers
        self.add_insecure_port = self.inner.add_insecure_port
        self.add_secure_port = self.inner.add_secure_port

    def add_registered_method_handlers(self, service: str, handlers: dict[str, Any]) -> None:
        """As grpc.Server. Unary methods are wrapped here, once, and not again for each call."""
        self.inner.add_registered_method_handlers(service, handlers)
        for name, handler in handlers.items():
            if handler.unary_unary:
                self._methods[f"/{service}/{name}"] = self._unary_method(f"/{service}/{name}", handler)

    async def start(self) -> None:
        """Takes calls from now on."""
        self._switch_interval = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_INTERVAL.total_seconds())
        self._loop.start()

    async def stop(self, grace: float) -> None:
        """Refuses new calls, and ends those in flight that outlast `grace` seconds."""
        await asyncio.to_thread(self._drain, grace)
        sys.setswitchinterval(self._switch_interval)

    def _drain(self, grace: float) -> None:
        """In a thread: it takes some tenths of a second, in which the event loop may be needed by calls in flight."""
        take_up_all(self.inner)
        self.inner.stop(grace).wait()
        self._pool.close()

    def _unary_method(self, path: str, handler: Any) -> UnaryMethod:
        wrapped: Any = self._interceptor.intercept_service(lambda _: handler, _Details(path))
        return UnaryMethod(wrapped.unary_unary, wrapped.request_deserializer or bytes, wrapped.response_serializer)
