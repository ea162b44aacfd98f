"""The time limit of one attempt, whose clock stops while the attempt waits for a connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from aiohttp import ClientConnectionError, TraceConfig
from aiohttp.tracing import Trace

if TYPE_CHECKING:
    from types import SimpleNamespace, TracebackType
    from typing import Self

    from aiohttp import BaseConnector, ClientRequest, ClientSession

__all__ = ["AttemptClock"]

CHECK_SECONDS = 1.0
"""How often to check that aiohttp has not forgotten those who wait for a connection."""


class AttemptClock:
    """Ends its `async with` block after so many seconds, like `asyncio.timeout`.

    A borrowed session's pool may be small. An attempt that waits in it for a free connection has
    not begun, so the clock stops; connecting counts. aiohttp's tracing tells of that wait.

    The clock also makes sure that this wait ends: aiohttp forgets those who wait when the one it
    has just woken is cancelled (as in aiohttp#9670).

    Args:
        seconds: How long, or None for no limit.
        request: What is sent in the block.
    """

    def __init__(self, seconds: float | None, request: ClientRequest) -> None:
        self._timeout = asyncio.timeout(seconds)
        self._left: float | None = None
        self._check: asyncio.TimerHandle | None = None
        # A closed session has none, but then no request gets as far as a queue.
        self._connector = cast("BaseConnector", request.session.connector)
        # aiohttp hands this list, the request's own, on to its connector.
        self._traces = request._traces  # noqa: SLF001 - per request there is no public way
        self._trace = Trace(request.session, _QUEUES, self)  # type: ignore[arg-type]

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        self._traces.append(self._trace)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._traces.remove(self._trace)
        if self._end_check():
            self._wake_the_next()
        await self._timeout.__aexit__(kind, error, traceback)

    def expired(self) -> bool:
        """Whether it was the clock that ended the block."""
        return self._timeout.expired()

    def _stop(self) -> None:
        if self._connector.closed:
            # A session that is closing still lets requests in, and would never wake them.
            raise ClientConnectionError("the aiohttp.ClientSession was closed")
        loop = asyncio.get_running_loop()
        self._check = loop.call_later(CHECK_SECONDS, self._check_the_queue)
        until = self._timeout.when()
        if until is not None and not self._timeout.expired():
            self._left = until - loop.time()
            self._timeout.reschedule(None)

    def _go_on(self) -> None:
        self._end_check()
        if self._left is not None:
            self._timeout.reschedule(asyncio.get_running_loop().time() + self._left)
            self._left = None

    def _check_the_queue(self) -> None:
        self._wake_the_next()
        loop = asyncio.get_running_loop()
        self._check = loop.call_later(CHECK_SECONDS, self._check_the_queue)

    def _end_check(self) -> bool:
        if self._check is None:
            return False
        self._check.cancel()
        self._check = None
        return True

    def _wake_the_next(self) -> None:
        # Wakes nobody unless a connection is free.
        self._connector._release_waiter()  # noqa: SLF001 - there is no public way


async def _queued(_session: ClientSession, clock: SimpleNamespace, _event: object) -> None:
    clock._stop()  # noqa: SLF001 - its own


async def _dequeued(_session: ClientSession, clock: SimpleNamespace, _event: object) -> None:
    clock._go_on()  # noqa: SLF001 - its own


_QUEUES = TraceConfig()
_QUEUES.on_connection_queued_start.append(_queued)
_QUEUES.on_connection_queued_end.append(_dequeued)
_QUEUES.freeze()
