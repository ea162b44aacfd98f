"""The body of a response, read so that others can read it again; and that of a request.

A body comes once. A middleware that has read `response.content` leaves it at its end, and
`response.read()` after it gives nothing, without an error. So each middleware here that must
see a body reads it with `read_body`: it stays in `response.read()`, and `response.content` is
renewed for those who stream it.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from aiohttp import StreamReader
from aiohttp.base_protocol import BaseProtocol
from aiohttp.payload import BytesPayload, IOBasePayload, Payload

if TYPE_CHECKING:
    from aiohttp import ClientResponse

__all__ = [
    "LARGEST_ANSWER",
    "BodyTooLargeError",
    "can_be_sent_again",
    "read_body",
    "read_bounded_body",
]

LARGEST_ANSWER = 64 * 2**20
"""Bytes. A page of 500 updates with all their fields is about 700 kB."""


class BodyTooLargeError(Exception):
    """A body has more bytes than it may. What was read of it has been put back."""


def can_be_sent_again(body: object) -> bool:
    """Whether a request's body can be sent again, as a generator's cannot."""
    if isinstance(body, IOBasePayload):
        return body._value.seekable()  # noqa: SLF001 - aiohttp goes back to where it began
    return not isinstance(body, Payload) or isinstance(body, BytesPayload)


async def read_body(response: ClientResponse) -> bytes | None:
    """Reads a body to judge it, whether or not it has been read before.

    Returns:
        The body. None if there is none to judge, because another middleware has taken a part
        without keeping it, or because it has more than `LARGEST_ANSWER` bytes; what is left
        stays in the stream.

    Raises:
        aiohttp.ClientError: The rest of it did not come.
    """
    try:
        return await read_bounded_body(response, LARGEST_ANSWER)
    except BodyTooLargeError:
        return None


async def read_bounded_body(response: ClientResponse, max_bytes: int) -> bytes | None:
    """As `read_body`, with another bound.

    Raises:
        BodyTooLargeError: There is more than `max_bytes`.
        aiohttp.ClientError: The rest of it did not come.
    """
    body: bytes | None = response._body  # noqa: SLF001 - read() refuses once it is released
    if body is None:
        if _bytes_taken(response.content):
            return None
        body = await _bounded_body(response, max_bytes)
        response.content = _stream_of(body, response)
        # aiohttp's own way to keep it: it also tells the session's traces.
        await response.read()
    elif len(body) > max_bytes:
        raise BodyTooLargeError
    response.content = _stream_of(body, response)
    return body


async def _bounded_body(response: ClientResponse, max_bytes: int) -> bytes:
    parts = []
    size = 0
    try:
        async for part in response.content.iter_any():
            parts.append(part)
            size += len(part)
            if size > max_bytes:
                break
    except BaseException:
        response.close()
        raise
    body = b"".join(parts)
    if size > max_bytes:
        _put_back(response.content, body)
        raise BodyTooLargeError
    return body


def _bytes_taken(content: StreamReader) -> int:
    # The stream of an answer that has no body knows no position.
    return getattr(content, "_cursor", 0)


def _put_back(content: StreamReader, read: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # aiohttp#3260 offers nothing instead
        content.unread_data(read)


def _stream_of(body: bytes, response: ClientResponse) -> StreamReader:
    loop = response._loop  # noqa: SLF001 - there is no other way to it
    # Below its limit a stream never asks its protocol, which has no connection, to pause.
    stream = StreamReader(BaseProtocol(loop), limit=len(body) + 1, loop=loop)
    stream.feed_data(body)
    stream.feed_eof()
    return stream
