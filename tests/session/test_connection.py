"""What stands between a session and the network: encodings, pools, and sessions that close."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest

from pipeflow import DecodeError, RequestTimeoutError, TransportError
from pipeflow.connection import Connection
from pipeflow.credentials import ApiTokenCredential
from pipeflow.limiting import BurstLimiter
from pipeflow.middleware import AttemptMiddleware, RateLimitMiddleware
from pipeflow.middleware.stack import Stack
from pipeflow.observing import Observer
from pipeflow.testing import Delay, Encoded, FakePipedrive, Stall, Status
from tests.session.conftest import note_ids, notes, session_at

if TYPE_CHECKING:
    from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

    from pipeflow.testing import Fault
    from pipeflow.testing.requests import SeenRequest

HISTORY = {7: notes(30)}


async def test_closing_leaves_alone_what_another_loop_had_under_way() -> None:
    credential = ApiTokenCredential("token")
    stack = Stack(
        credential=credential,
        rate_limit=RateLimitMiddleware(),
        users=(),
        observer=Observer(),
        attempt=AttemptMiddleware(),
    )
    connection = Connection(None, credential, stack)
    lost = asyncio.new_event_loop()
    deadline = asyncio.timeout(None)
    connection._under_way[deadline] = lost
    await connection.close()
    lost.close()
    assert not deadline.expired()


# ---- encodings


@pytest.mark.parametrize(
    "encoded",
    [
        Encoded("identity"),
        Encoded("gzip"),
        Encoded("gzip", members=3),
        Encoded("deflate"),
        Encoded("raw deflate"),
    ],
    ids=str,
)
async def test_a_page_is_read_in_every_encoding_of_aiohttps(encoded: Fault) -> None:
    async with FakePipedrive(persons=HISTORY) as fake, session_at(fake) as pipedrive:
        fake.on_request = lambda request: encoded
        assert await note_ids(pipedrive.iter_person_flow(7, page_size=9)) == [*range(30)]


@pytest.mark.parametrize("coding", ["gzip, gzip", "gzip, deflate", "x-gzip"])
async def test_another_encoding_is_named_and_asked_for_once(coding: str) -> None:
    async with FakePipedrive(persons=HISTORY) as fake, session_at(fake) as pipedrive:
        fake.on_request = lambda request: Encoded(coding)
        with pytest.raises(DecodeError, match=f"Content-Encoding is '{coding}'") as caught:
            await pipedrive.get_person_flow(7, start=4)
        assert caught.value.resume_start == 4
        assert fake.request_count == 1


# ---- the user's middlewares


@pytest.mark.parametrize("coding", ["identity", "gzip", "raw deflate"])
async def test_a_middleware_that_reads_the_answer_sees_its_text(coding: str) -> None:
    seen: list[int] = []

    async def log(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        response = await handler(request)
        seen.append(len((await response.json())["data"]))
        return response

    async def count(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        response = await handler(request)
        seen.append(sum([len(chunk) async for chunk in response.content.iter_any()]))
        assert seen[-1] == len(await response.read())
        return response

    async with (
        FakePipedrive(persons=HISTORY) as fake,
        session_at(fake, middlewares=[log, count]) as pipedrive,
    ):
        fake.on_request = lambda request: Encoded(coding)
        assert len((await pipedrive.get_person_flow(7)).updates) == 30
        assert fake.request_count == 1
    assert seen[1] == 30


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), TimeoutError("a lock")])
async def test_a_full_disk_of_a_log_is_not_taken_for_the_network(error: OSError) -> None:
    async def log(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        await handler(request)
        raise error

    async with (
        FakePipedrive(persons=HISTORY) as fake,
        session_at(fake, middlewares=[log]) as pipedrive,
    ):
        with pytest.raises(type(error)) as caught:
            await pipedrive.get_person_flow(7)
        assert caught.value is error
        assert fake.request_count == 1


async def test_a_complaint_of_a_middlewares_about_an_answer_passes() -> None:
    async def strict(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        response = await handler(request)
        response.raise_for_status()
        return response

    async with (
        FakePipedrive(persons=HISTORY) as fake,
        session_at(fake, middlewares=[strict]) as pipedrive,
    ):
        fake.script(None, Status(503))
        await pipedrive.get_person_flow(7)
        with pytest.raises(aiohttp.ClientResponseError, match="503"):
            await pipedrive.get_person_flow(7)
        assert fake.request_count == 2


# ---- borrowed sessions


async def test_a_small_pool_is_waited_for_without_an_attempts_time() -> None:
    async with (
        FakePipedrive(persons=HISTORY, burst_limit=1000) as fake,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as borrowed,
        session_at(
            fake, session=borrowed, attempt_timeout=0.5, limiter=BurstLimiter(1000, 1.0)
        ) as pipedrive,
    ):
        # Ten answers through one connection take twice as long as an attempt may.
        fake.on_request = lambda request: Delay(0.1)
        pages = await asyncio.gather(*(pipedrive.get_person_flow(7) for _ in range(10)))
        assert [len(page.updates) for page in pages] == [30] * 10
        assert fake.request_count == 10


@pytest.mark.parametrize("fault", [Stall(), Stall(after=50)], ids=repr)
async def test_a_borrowed_session_closed_under_a_request_ends_the_walk(fault: Fault) -> None:
    async with FakePipedrive(persons=HISTORY) as fake:
        borrowed = aiohttp.ClientSession()
        met = asyncio.Event()

        def stall(request: SeenRequest) -> Fault | None:
            if fake.request_count == 1:
                return None
            met.set()
            return fault

        fake.on_request = stall
        async with session_at(fake, session=borrowed) as pipedrive:
            updates = pipedrive.iter_person_flow(7, page_size=10)
            walk = asyncio.create_task(note_ids(updates))
            await met.wait()
            await borrowed.close()
            with pytest.raises(TransportError, match="borrows is closed") as caught:
                await walk
            assert caught.value.resume_start == 10


async def test_a_borrowed_session_closed_under_those_who_wait_for_its_pool_ends_them() -> None:
    async with FakePipedrive(persons=HISTORY) as fake:
        borrowed = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1))
        met = asyncio.Event()

        def stall(request: SeenRequest) -> Fault:
            met.set()
            return Stall()

        fake.on_request = stall
        async with session_at(fake, session=borrowed) as pipedrive:
            asking = [asyncio.create_task(pipedrive.get_person_flow(7)) for _ in range(3)]
            await met.wait()
            await borrowed.close()
            outcomes = await asyncio.gather(*asking, return_exceptions=True)
        assert [str(outcome) for outcome in outcomes] == [
            "the aiohttp.ClientSession that this PipedriveSession borrows is closed"
        ] * 3


async def test_a_borrowed_session_closed_between_pages_ends_the_walk() -> None:
    async with FakePipedrive(persons=HISTORY) as fake:
        borrowed = aiohttp.ClientSession()
        async with session_at(fake, session=borrowed) as pipedrive:
            seen = []
            with pytest.raises(TransportError, match="borrows is closed") as caught:
                async for update in pipedrive.iter_person_flow(7, page_size=10):
                    seen.append(update)
                    await borrowed.close()
            assert caught.value.resume_start == len(seen) == 10


async def test_the_timeouts_of_a_borrowed_session_are_not_ours() -> None:
    async with (
        FakePipedrive(persons=HISTORY) as fake,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(0.02, sock_read=0.01)) as borrowed,
        session_at(fake, session=borrowed, attempt_timeout=0.2) as pipedrive,
    ):
        fake.script(Delay(0.05))
        assert len((await pipedrive.get_person_flow(7)).updates) == 30
        fake.on_request = lambda request: Stall()
        with pytest.raises(RequestTimeoutError, match=r"0\.2 s \(in 3 attempts\)"):
            await pipedrive.get_person_flow(7)
