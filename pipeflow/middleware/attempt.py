"""One try of one request: the whole answer, within a time and a size."""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING

from aiohttp import ClientPayloadError

from pipeflow.errors import DecodeError

if TYPE_CHECKING:
    from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

__all__ = ["LARGEST_ANSWER", "AttemptMiddleware"]

LARGEST_ANSWER = 64 * 2**20
"""Bytes. A page of 500 updates with all their fields is about 700 kB."""


_GZIP_MAGIC = b"\x1f\x8b"
"""No JSON begins with it, so it is a body that aiohttp has not decompressed."""


class AttemptMiddleware:
    """Reads the answer's whole body and bounds the try in time and size.

    The time runs from the sending of the request to the last byte of its body. It stands inside
    the retry and the rate limit, so that no wait of theirs counts: `ClientTimeout(total=…)` would
    count them.

    Args:
        timeout: Seconds for one try, or None for no bound. Above it a `TimeoutError` is raised,
            which `RetryMiddleware` takes for a reason to try again.
        max_bytes: The most bytes that an answer may have, after decompression. Above it a
            `DecodeError` is raised without reading on. (aiohttp before 3.14.1 decompresses what
            it received in one go, up to a thousandfold, before anyone can count. A request with
            `auto_decompress=False` leaves that to this middleware, for gzip.)
    """

    def __init__(self, timeout: float | None = 30.0, *, max_bytes: int = LARGEST_ANSWER) -> None:
        self._timeout = timeout
        self._max_bytes = max_bytes

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Sends one request and reads its answer whole."""
        attempt = asyncio.timeout(self._timeout)
        try:
            async with attempt:
                response = await handler(request)
                await self._read(response)
        except TimeoutError as error:
            if attempt.expired():
                raise TimeoutError(f"attempt_timeout is {self._timeout:g} s") from error
            raise
        return response

    async def _read(self, response: ClientResponse) -> None:
        """As `response.read()`, which knows no bound."""
        try:
            body = await self._bounded_body(response)
        except BaseException:
            response.close()
            raise
        response._body = body  # noqa: SLF001 - where read() keeps it
        await response.read()

    async def _bounded_body(self, response: ClientResponse) -> bytes:
        parts = []
        size = 0
        async for part in response.content.iter_any():
            parts.append(part)
            size += len(part)
            if size > self._max_bytes:
                raise self._too_large()
        body = b"".join(parts)
        return self._unzipped(body) if body.startswith(_GZIP_MAGIC) else body

    def _unzipped(self, body: bytes) -> bytes:
        gzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            plain = gzip.decompress(body, self._max_bytes + 1)
        except zlib.error as error:
            raise ClientPayloadError(f"the answer is broken gzip: {error}") from error
        if len(plain) > self._max_bytes:
            raise self._too_large()
        if not gzip.eof:
            raise ClientPayloadError("the answer is truncated gzip")
        return plain

    def _too_large(self) -> DecodeError:
        return DecodeError(f"the answer has more than {self._max_bytes:,} bytes")
