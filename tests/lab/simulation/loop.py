"""An event loop in virtual time: first in, first out, no threads, no sockets. The same input gives the same run."""

import asyncio
import heapq
import math
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any


class VirtualLoop(asyncio.AbstractEventLoop):
    """One life of a process. `stop` ends it on the spot: what was waiting never runs."""

    def __init__(self, now: Callable[[], int]) -> None:
        """`now`: milliseconds."""
        self._now = now
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[int, int, asyncio.TimerHandle]] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self._count = 0
        self._stopped = False

    def time(self) -> float:
        return self._now() / 1000

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._count += 1
        due = max(math.ceil(when * 1000 - 1e-3), self._now())
        heapq.heappush(self._timers, (due, self._count, handle))
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Coroutine[Any, Any, Any], **options: Any) -> asyncio.Task[Any]:  # type: ignore[override]
        task = asyncio.Task(coro, loop=self, **options)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return not self._stopped

    def is_closed(self) -> bool:
        return self._stopped

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Skipped when its time comes."""

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if not self._stopped and "exception" in context:
            raise context["exception"]

    def next_due(self) -> int | None:
        """When the next timer fires (ms)."""
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def fire_timers(self) -> None:
        now = self._now()
        while self._timers and self._timers[0][0] <= now:
            self._ready.append(heapq.heappop(self._timers)[2])

    def run_ready(self) -> None:
        """Until nothing can run without time passing."""
        asyncio._set_running_loop(self)
        try:
            while self._ready and not self._stopped:
                handle = self._ready.popleft()
                if not handle.cancelled():
                    handle._run()
        finally:
            asyncio._set_running_loop(None)

    def stop(self) -> None:
        self._stopped = True

    def dispose(self) -> None:
        """Drop all that was waiting, as the kernel drops a dead process's memory."""
        self._stopped = True
        for task in list(self._tasks):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            coroutine = task.get_coro()
            assert coroutine is not None
            coroutine.close()
        self._tasks.clear()
        self._ready.clear()
        self._timers.clear()
