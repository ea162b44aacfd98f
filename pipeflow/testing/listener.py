"""The listening socket and its connections: opened, lost for a while, closed for good."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from pipeflow.testing.delivery import reset

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

__all__ = ["Listener"]

_HOST: Final = "127.0.0.1"
_GRACE: Final = 0.1
"""Seconds for what is left when every connection has been ended: nothing, as far as is known."""


class Listener:
    """Serves HTTP on a loopback port, and leaves no task and no socket behind."""

    def __init__(self, runner: web.ServerRunner, server: web.Server, port: int) -> None:
        self._runner = runner
        self._server = server
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._background: set[asyncio.Task[None]] = set()
        self._outage: asyncio.Task[None] | None = None
        self._closing = False

    @classmethod
    async def start(
        cls, handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], port: int
    ) -> Listener:
        """Listen on `port`, or on any free one for 0."""
        # A handler whose client has gone is cancelled: a stalled answer ends with its connection.
        server = web.Server(handler, handler_cancellation=True, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=_GRACE)
        listener = cls(runner, server, port)
        await listener._runner.setup()
        try:
            await listener._listen()
        except OSError:
            await listener._runner.cleanup()
            raise
        return listener

    @property
    def origin(self) -> str:
        """Such as `http://127.0.0.1:4321`."""
        return f"http://{_HOST}:{self._port}"

    async def _listen(self) -> None:
        self._socket = socket.create_server((_HOST, self._port))
        self._port = self._socket.getsockname()[1]
        await web.SockSite(self._runner, self._socket).start()

    async def _stop_listening(self) -> None:
        for site in self._runner.sites:
            # asyncio loses a connection, and warns, that it accepts just before the server closes.
            # So no more is accepted, and what was is let in before; uvloop accepts to the end.
            with contextlib.suppress(NotImplementedError):  # Windows' loop has no readers
                asyncio.get_running_loop().remove_reader(self._socket)
            await _let_in()
            await site.stop()
            await _let_in()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop that it runs in."""
        return self._loop

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something beside the server, until its end. May be called from any thread."""
        self._loop.call_soon_threadsafe(self._begin, work)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._background.add(self._loop.create_task(work))

    def go_away(self, seconds: float) -> None:
        """Reset every connection and refuse new ones for some seconds. From any thread."""
        if threading.get_ident() == self._thread:
            self._go_away(seconds)
        else:
            self._loop.call_soon_threadsafe(self._go_away, seconds)

    def _go_away(self, seconds: float) -> None:
        is_away = self._outage is not None and not self._outage.done()
        if not is_away and not self._closing:
            self._outage = self._loop.create_task(self._be_away(seconds))

    async def _be_away(self, seconds: float) -> None:
        await self._stop_listening()
        for transport in self._transports():
            reset(transport)
        await asyncio.sleep(seconds)
        await self._listen()

    def _transports(self) -> list[asyncio.Transport]:
        connections = self._server.connections
        return [each.transport for each in connections if each.transport is not None]

    async def close(self) -> None:
        """Stop at once, whatever is under way.

        Raises:
            Exception: What something beside the server raised.
            OSError: The server could not come back from an outage: the port was taken meanwhile.
        """
        self._closing = True
        if self._outage is not None:
            self._outage.cancel()
            await asyncio.wait([self._outage])
        await self._stop_listening()
        for transport in self._transports():
            # Not `close()`, which waits for clients that do not read. Handlers are cancelled.
            transport.abort()
        await self._runner.cleanup()
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        ended = [*self._background] if self._outage is None else [self._outage, *self._background]
        for task in ended:
            if not task.cancelled():
                task.result()


async def _let_in() -> None:
    # An accepted connection has its transport, its protocol and its task three turns later.
    for _ in range(3):
        await asyncio.sleep(0)
