from __future__ import annotations

import asyncio
import contextlib
import errno
import re
import socket
from typing import TYPE_CHECKING

import aiohttp
import pytest

from pipeflow.testing import (
    Delay,
    Disconnect,
    FakePipedrive,
    GzipBomb,
    Headers,
    HugeBody,
    Outage,
    Reset,
    Stall,
    Status,
)

from .asking import ask, notes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from pipeflow.testing import Fault


class Wire:
    """A bare connection: what the fake sends, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def head(self) -> str:
        return (await self.reader.readuntil(b"\r\n\r\n")).decode()

    async def rest(self) -> bytes:
        """All until the end; the end of a reset connection is the error at its end."""
        received = b""
        while chunk := await self.reader.read(2**16):
            received += chunk
        return received


@contextlib.asynccontextmanager
async def wire(fake: FakePipedrive, path: str = "/v1/persons/7/flow") -> AsyncIterator[Wire]:
    port = int(fake.base_url.split(":")[2].split("/")[0])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nx-api-token: {fake.api_token}\r\n\r\n".encode()
    )
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


@contextlib.asynccontextmanager
async def fake_under(fault: Fault) -> AsyncIterator[FakePipedrive]:
    async with FakePipedrive(persons={7: notes(10)}) as fake:
        fake.script(fault)
        yield fake


async def until_asked(fake: FakePipedrive, count: int = 1) -> None:
    await until(lambda: fake.request_count >= count)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0)


def promised(head: str) -> int:
    found = re.search(r"Content-Length: (\d+)", head)
    assert found is not None
    return int(found[1])


async def test_a_disconnect_can_come_before_any_byte() -> None:
    async with fake_under(Disconnect()) as fake, wire(fake) as connection:
        assert await connection.rest() == b""
        assert fake.requests[0].status is None


async def test_a_disconnect_can_come_after_some_bytes_of_a_longer_body() -> None:
    async with fake_under(Disconnect(after=100)) as fake, wire(fake) as connection:
        assert promised(await connection.head()) > 100
        assert len(await connection.rest()) == 100
        assert fake.requests[0].status == 200


async def test_a_disconnect_can_come_right_after_the_headers() -> None:
    async with fake_under(Disconnect(after=0)) as fake, wire(fake) as connection:
        assert promised(await connection.head()) > 0
        assert await connection.rest() == b""


async def test_a_disconnect_can_come_in_the_middle_of_a_chunked_body() -> None:
    async with fake_under(Disconnect(after=100, chunked=True)) as fake, wire(fake) as connection:
        assert "Transfer-Encoding: chunked" in await connection.head()
        size, _, chunk = (await connection.rest()).partition(b"\r\n")
    assert int(size, 16) == 100
    assert len(chunk.removesuffix(b"\r\n")) == 100


async def test_a_disconnect_after_more_bytes_than_there_are_comes_one_byte_early() -> None:
    async with fake_under(Disconnect(after=10**9)) as fake, wire(fake) as connection:
        length = promised(await connection.head())
        assert len(await connection.rest()) == length - 1


async def test_a_disconnect_can_come_in_the_middle_of_a_huge_body() -> None:
    fault = HugeBody(10**7) + Disconnect(after=2**18 + 100)
    async with fake_under(fault) as fake, wire(fake) as connection:
        await connection.head()
        assert 2**18 < len(await connection.rest()) < 2**18 + 1000


@pytest.mark.parametrize("fault", [Reset(), Status(503) + Reset()])
async def test_a_reset_can_come_before_any_byte(fault: Fault) -> None:
    async with fake_under(fault) as fake, wire(fake) as connection:
        with pytest.raises(ConnectionResetError):
            await connection.rest()
        assert fake.requests[0].status is None


async def test_a_reset_can_come_in_the_middle_of_the_body() -> None:
    async with fake_under(Reset(after=100)) as fake, wire(fake) as connection:
        assert promised(await connection.head()) > 100
        assert len(await connection.reader.readexactly(100)) == 100
        with pytest.raises(ConnectionResetError):
            await connection.rest()


async def test_a_client_sees_a_disconnect_and_a_broken_body() -> None:
    async with FakePipedrive() as fake:
        # aiohttp asks a second time by itself when no byte of an answer came.
        fake.script(*[Disconnect()] * 2, Disconnect(after=9), Disconnect(after=9, chunked=True))
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await ask(fake)
        for _ in range(2):
            with pytest.raises(aiohttp.ClientPayloadError):
                await ask(fake)
        assert (await ask(fake)).status == 200


async def test_a_stall_can_come_before_any_byte() -> None:
    async with fake_under(Stall()) as fake, wire(fake) as connection:
        rest = asyncio.create_task(connection.rest())
        await until_asked(fake)
        # Another request overtakes it.
        assert (await ask(fake, "/persons/7/flow")).status == 200
        assert not rest.done()
        await fake.__aexit__(None, None, None)
        assert await rest == b""
        await fake.__aenter__()


async def test_a_stall_can_come_in_the_middle_of_the_body() -> None:
    async with fake_under(Stall(after=100)) as fake, wire(fake) as connection:
        assert promised(await connection.head()) > 100
        await connection.reader.readexactly(100)
        rest = asyncio.create_task(connection.rest())
        assert (await ask(fake, "/persons/7/flow")).status == 200
        assert not rest.done()
        rest.cancel()


async def test_an_outage_resets_every_connection_and_refuses_new_ones_for_a_while() -> None:
    async with FakePipedrive(persons={7: notes(3)}) as fake:
        fake.script(Stall(), Outage(0.05))
        async with wire(fake) as other:
            await until_asked(fake)
            async with wire(fake) as connection:
                with pytest.raises(ConnectionResetError):
                    await connection.rest()
            with pytest.raises(ConnectionResetError):
                await other.rest()
        with pytest.raises(aiohttp.ClientConnectorError) as refused:
            await ask(fake, "/persons/7/flow")
        assert refused.value.errno == errno.ECONNREFUSED
        fake.go_away(0.05)  # It is away already.
        await until_back(fake)
        fake.go_away(0.05)
        await until_back(fake)


async def until_back(fake: FakePipedrive) -> None:
    refused = 0
    while True:
        try:
            await ask(fake, "/persons/7/flow")
        except aiohttp.ClientError:
            refused += 1
            await asyncio.sleep(0.01)
        else:
            assert refused
            return


async def test_the_server_can_end_during_an_outage() -> None:
    async with fake_under(Outage(1e6)) as fake:
        with pytest.raises(aiohttp.ClientOSError):
            await ask(fake, "/persons/7/flow")
    assert left_behind() == set()


async def test_a_server_that_cannot_come_back_says_so_at_the_end() -> None:
    fake = await FakePipedrive().__aenter__()
    port = int(fake.base_url.split(":")[2].split("/")[0])
    fake.go_away(0)
    taken = None
    while taken is None:
        await asyncio.sleep(0)
        with contextlib.suppress(OSError):
            taken = socket.create_server(("127.0.0.1", port))
    for _ in range(9):
        await asyncio.sleep(0)
    with taken, pytest.raises(OSError, match="in use"):
        await fake.__aexit__(None, None, None)
    assert left_behind() == set()


def left_behind() -> set[asyncio.Task[object]]:
    current = asyncio.current_task()
    return {task for task in asyncio.all_tasks() if task is not current}


@pytest.mark.parametrize(
    "fault",
    [Stall(), Stall(after=9), Delay(1e6), HugeBody(10**12), GzipBomb(10**12), Headers({})],
)
async def test_the_end_of_the_server_waits_for_nobody(fault: Fault) -> None:
    async with fake_under(fault) as fake:
        connection = await wire(fake).__aenter__()
        await until_asked(fake)
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await connection.reader.readexactly(10**7)
    connection.writer.close()
    assert left_behind() == set()


async def test_a_stalled_answer_ends_when_its_client_goes() -> None:
    async with fake_under(Stall()) as fake:
        async with wire(fake):
            await until_asked(fake)
            assert left_behind()
        await until(lambda: not left_behind())


async def test_a_client_that_leaves_a_huge_body_ends_it() -> None:
    async with fake_under(HugeBody(10**12)) as fake:
        async with wire(fake) as connection:
            await connection.head()
        await until(lambda: not left_behind())


async def test_an_outage_does_not_outlive_the_end_of_the_server() -> None:
    fake = await FakePipedrive().__aenter__()
    ending = asyncio.create_task(fake.__aexit__(None, None, None))
    await asyncio.sleep(0)
    fake.go_away(1e6)
    await ending
    assert left_behind() == set()
