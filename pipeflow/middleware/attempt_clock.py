"""The time of one attempt, which stands still while the attempt waits for a connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import TraceConfig
from aiohttp.tracing import Trace

if TYPE_CHECKING:
    from types import SimpleNamespace, TracebackType
    from typing import Self

    from aiohttp import ClientRequest, ClientSession

__all__ = ["AttemptClock"]


class AttemptClock:
    """Ends the block in it after so many seconds, like `asyncio.timeout`.

    A borrowed session's pool may be small. An attempt that waits in it for a free connection has
    not begun, so the clock stops; connecting counts. aiohttp tells of that wait by its tracing.

    Args:
        seconds: How long, or None for no limit.
        request: What is sent in the block.
    """

    def __init__(self, seconds: float | None, request: ClientRequest) -> None:
        self._timeout = asyncio.timeout(seconds)
        self._left: float | None = None
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
        await self._timeout.__aexit__(kind, error, traceback)

    def expired(self) -> bool:
        """Whether it was the clock that ended the block."""
        return self._timeout.expired()

    def _stop(self) -> None:
        until = self._timeout.when()
        if until is not None and not self._timeout.expired():
            self._left = until - asyncio.get_running_loop().time()
            self._timeout.reschedule(None)

    def _go_on(self) -> None:
        if self._left is not None:
            self._timeout.reschedule(asyncio.get_running_loop().time() + self._left)
            self._left = None


async def _queued(_session: ClientSession, clock: SimpleNamespace, _event: object) -> None:
    clock._stop()  # noqa: SLF001 - its own


async def _dequeued(_session: ClientSession, clock: SimpleNamespace, _event: object) -> None:
    clock._go_on()  # noqa: SLF001 - its own


_QUEUES = TraceConfig()
_QUEUES.on_connection_queued_start.append(_queued)
_QUEUES.on_connection_queued_end.append(_dequeued)
_QUEUES.freeze()
