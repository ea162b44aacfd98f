"""One attempt of one request: the whole answer, within a time and a size."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp

from pipeflow.errors import DecodeError, RequestTimeoutError, TransportError
from pipeflow.failures import error_from, quotes_an_answer
from pipeflow.middleware.attempt_clock import AttemptClock
from pipeflow.middleware.bodies import LARGEST_ANSWER, BodyTooLargeError, read_bounded_body

if TYPE_CHECKING:
    from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

__all__ = ["AttemptMiddleware"]

_READ_BY_AIOHTTP = frozenset({"gzip", "deflate", "br", "zstd"})
"""For the last two it needs a library, and says so."""


class AttemptMiddleware:
    """Sends a request and reads its answer whole, within a time and a size.

    It belongs innermost, where the request really goes out. What went wrong on the way becomes a
    `TransportError` here, so that nobody takes an `OSError` of somebody's middleware, such as a
    full disk, for the network.

    The time runs from connecting to the last byte of the body. It does not run while the request
    waits for a free connection of the session's pool, nor outside this middleware, in the waits
    for the rate limit or between attempts: `ClientTimeout(total=…)` would count all of them.

    Whoever reads the answer after it finds it whole, in `response.read()` and in
    `response.content`. So it is not for downloads of any size: `max_bytes` bounds what it holds in
    memory.

    Args:
        timeout: Seconds for one attempt; None means no limit. Above it a `RequestTimeoutError` is
            raised, which `RetryMiddleware` takes for a reason to try again.
        max_bytes: The most bytes that an answer may have, after decompression. Above it a
            `DecodeError` is raised without reading on.

    Raises:
        TransportError: No whole answer came.
        DecodeError: The answer is too large, or has a `Content-Encoding` that aiohttp cannot read.
    """

    def __init__(self, timeout: float | None = 30.0, *, max_bytes: int = LARGEST_ANSWER) -> None:
        self._timeout = timeout
        self._max_bytes = max_bytes

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Sends one request and reads its answer whole."""
        clock = AttemptClock(self._timeout, request)
        host = request.url.host
        try:
            async with clock:
                response = await handler(request)
                await self._read(response)
        except TransportError:
            raise  # of another one further in
        except asyncio.CancelledError as error:
            if not request.session.closed or _is_cancelled():
                raise
            # aiohttp cancels what waits for a connection, which is not to cancel the task.
            raise TransportError(
                f"no whole answer from {host}: the aiohttp.ClientSession was closed"
            ) from error
        except aiohttp.ClientError as failure:
            if quotes_an_answer(failure):
                raise
            raise error_from(failure, host=host) from failure
        except TimeoutError as error:
            if not clock.expired():
                raise
            raise RequestTimeoutError(
                f"no whole answer from {host} in time: attempt_timeout is {self._timeout:g} s"
            ) from error
        return response

    async def _read(self, response: ClientResponse) -> None:
        try:
            body = await read_bounded_body(response, self._max_bytes)
        except BodyTooLargeError:
            response.close()
            raise DecodeError(f"the answer has more than {self._max_bytes:,} bytes") from None
        encoding = response.headers.get("Content-Encoding", "")
        if body and not _is_readable(encoding):
            response.close()
            raise DecodeError(f"the answer's Content-Encoding is {encoding!r}, which is not read")


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _is_readable(content_encoding: str) -> bool:
    encoding = content_encoding.strip().lower()
    return encoding in {"", "identity"} or encoding in _READ_BY_AIOHTTP
