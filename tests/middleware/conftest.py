"""A server that answers with raw bytes, so that it can misbehave in every way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

Reaction = Callable[[asyncio.StreamWriter], Awaitable[None]]


def answer(
    status: int = 200,
    body: bytes = b"{}",
    *,
    length: int | None = None,
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """An HTTP answer."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Type: {content_type}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    lines += [f"Content-Length: {len(body) if length is None else length}", "", ""]
    return "\r\n".join(lines).encode() + body


@define
class RawServer:
    """Answers the n-th request with the n-th reaction, and every later one with the last."""

    reactions: list[bytes | Reaction]
    requests: list[bytes] = field(factory=list)
    arrived: asyncio.Event = field(factory=asyncio.Event)
    connections: int = 0
    port: int = 0
    tasks: set[asyncio.Task[Any]] = field(factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def header(self, name: str) -> list[str | None]:
        """The value of a header in each request."""
        found: list[str | None] = []
        for request in self.requests:
            lines = [line.partition(b": ") for line in request.lower().split(b"\r\n")]
            values = [value.decode() for key, _, value in lines if key == name.encode()]
            found.append(values[0] if values else None)
        return found

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                self.arrived.set()
                reaction = self.reactions[min(len(self.requests), len(self.reactions)) - 1]
                if isinstance(reaction, bytes):
                    writer.write(reaction)
                    await writer.drain()
                else:
                    await reaction(writer)
        writer.close()
        with suppress(ConnectionError, asyncio.CancelledError):
            await writer.wait_closed()


class Serve(Protocol):
    async def __call__(self, *reactions: bytes | Reaction) -> RawServer: ...


@pytest.fixture
async def serve() -> AsyncGenerator[Serve, None]:
    """Starts a `RawServer` with the reactions given."""
    running: list[tuple[asyncio.Server, RawServer]] = []

    async def start(*reactions: bytes | Reaction) -> RawServer:
        raw = RawServer(list(reactions))
        server = await asyncio.start_server(raw.serve, "127.0.0.1", 0)
        raw.port = server.sockets[0].getsockname()[1]
        running.append((server, raw))
        return raw

    yield start
    for server, raw in running:
        server.close()
        for task in raw.tasks:
            task.cancel()
        await asyncio.gather(*raw.tasks, return_exceptions=True)
        await server.wait_closed()


async def disconnect(writer: asyncio.StreamWriter) -> None:
    """Closes the connection without an answer."""
    writer.close()
    raise ConnectionError


async def reset(writer: asyncio.StreamWriter) -> None:
    """Resets the connection without an answer."""
    writer.transport.abort()
    raise ConnectionError


async def stall(writer: asyncio.StreamWriter) -> None:
    """Never answers."""
    await asyncio.Event().wait()


def then(first: bytes, reaction: Reaction) -> Reaction:
    """Sends some bytes before it misbehaves."""

    async def react(writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        await writer.drain()
        await reaction(writer)

    return react


class Sleeps(list[float]):
    """Stands for `asyncio.sleep` and notes the seconds instead of waiting."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)
        await asyncio.sleep(0)
