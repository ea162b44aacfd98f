"""Putting an answer on the wire, or as much of it as its ending allows."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import TYPE_CHECKING, Final, cast

from aiohttp import web

from pipeflow.testing.answers import Answer, Ending

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["deliver", "reset"]

_LINGER_ZERO: Final = struct.pack("ii", 1, 0)


async def deliver(request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
    """Send the answer.

    With another ending than a whole answer this never returns: the task is cancelled when the
    connection goes, by the ending itself, by the client, or by the end of the server.
    """
    if answer.ending is Ending.WHOLE:
        if isinstance(answer.body, bytes):
            return web.Response(status=answer.status, body=answer.body, headers=answer.headers)
        return await _send(request, answer, answer.body())
    if answer.cut is not None:
        # A body that comes whole would be no fault, so its last byte is always missing.
        chunks = [answer.body[:-1]] if isinstance(answer.body, bytes) else answer.body()
        await _send(request, answer, _first_bytes(answer.cut, chunks))
    # Without a transport the connection is lost, and this task cancelled before it comes here.
    transport = cast("asyncio.Transport", request.transport)
    if answer.ending is Ending.CLOSE:
        transport.close()
    elif answer.ending is Ending.RESET:
        reset(transport)
    never: asyncio.Future[web.StreamResponse] = asyncio.get_running_loop().create_future()
    return await never


async def _send(
    request: web.BaseRequest, answer: Answer, chunks: Iterable[bytes]
) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    if answer.chunked or not isinstance(answer.body, bytes):
        response.enable_chunked_encoding()
    else:
        response.content_length = len(answer.body)
    # A client that has gone is no error, and its connection's end cancels this task anyway.
    with contextlib.suppress(ConnectionError):
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
    return response


def _first_bytes(count: int, chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if count <= 0:
            return
        yield chunk[:count]
        count -= len(chunk)


def reset(transport: asyncio.Transport) -> None:
    """End a connection with a TCP RST instead of a FIN."""
    # To linger for zero seconds is how the sockets API spells it.
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
    transport.abort()
