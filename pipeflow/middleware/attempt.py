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
"""The last two need a library, and aiohttp says so when it is missing."""


class AttemptMiddleware:
    """Sends a request and reads its answer whole, within a time and a size.

    It belongs innermost, where the request really goes out. A failed connection becomes a
    `TransportError` here, so that an `OSError` of another middleware, such as a full disk, is not
    taken for the network.

    The time runs from connecting to the last byte of the body. It does not run while the request
    waits for a free connection of the session's pool, nor outside this middleware, in the waits
    for the rate limit or between attempts: `ClientTimeout(total=…)` would count all of them.

    Middlewares outside it find the whole answer in `response.read()` and in `response.content`. It
    is therefore not for large downloads: `max_bytes` is the most that it holds in memory.

    Args:
        timeout: Seconds for one attempt; None means no limit. A longer one is a
            `RequestTimeoutError`, which `RetryMiddleware` retries.
        max_bytes: The most bytes that an answer may have, after decompression. A larger one is a
            `DecodeError`, and the rest of it is not read.

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
            raise  # from another AttemptMiddleware further in
        except asyncio.CancelledError as error:
            if not request.session.closed or _is_cancelled():
                raise
            # aiohttp cancels what waits for a connection, but nobody has cancelled the task.
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
