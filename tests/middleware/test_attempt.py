from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import ClientRequest
from yarl import URL

from pipeflow.errors import DecodeError, RequestTimeoutError, TransportError
from pipeflow.middleware import AttemptMiddleware, RetryMiddleware
from tests.middleware.conftest import Sleeps, answer, disconnect, stall, then

if TYPE_CHECKING:
    from aiohttp import ClientHandlerType, ClientMiddlewareType, ClientResponse

    from tests.middleware.conftest import Reaction, Serve

BODY = b"[1, 2]"


async def get(url: str, *middlewares: ClientMiddlewareType) -> bytes:
    async with (
        aiohttp.ClientSession(middlewares=middlewares) as session,
        session.get(url) as response,
    ):
        return await response.read()


async def test_an_answer_up_to_the_bound_comes_whole(serve: Serve) -> None:
    server = await serve(answer(body=b"x" * 100_000))
    assert await get(server.url, AttemptMiddleware(max_bytes=100_000)) == b"x" * 100_000


async def test_an_answer_above_the_bound_is_refused_and_not_tried_again(serve: Serve) -> None:
    server = await serve(answer(body=b"x" * 100_001))
    with pytest.raises(DecodeError, match="more than 100,000 bytes"):
        await get(server.url, RetryMiddleware(), AttemptMiddleware(max_bytes=100_000))
    assert len(server.requests) == 1


async def test_the_bound_holds_for_what_another_has_read(serve: Serve) -> None:
    server = await serve(answer(body=b"x" * 1_000))
    wide, narrow = AttemptMiddleware(), AttemptMiddleware(max_bytes=999)
    with pytest.raises(DecodeError, match="more than 999 bytes"):
        await get(server.url, narrow, wide)


async def test_an_empty_answer_is_an_answer(serve: Serve) -> None:
    server = await serve(answer(body=b""))
    assert await get(server.url, AttemptMiddleware()) == b""


async def test_a_small_body_that_grows_without_end_takes_little_memory(serve: Serve) -> None:
    bomb = gzip.compress(b"\0" * 300_000_000)
    server = await serve(answer(body=bomb, headers={"Content-Encoding": "gzip"}))
    tracemalloc.start()
    with pytest.raises(DecodeError, match="more than 1,000,000 bytes"):
        await get(
            server.url,
            RetryMiddleware(sleep=Sleeps()),
            AttemptMiddleware(max_bytes=1_000_000),
        )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


# ---- encodings


def raw_deflate(body: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflate.compress(body) + deflate.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("identity", BODY),
        ("gzip", gzip.compress(BODY)),
        ("gzip", gzip.compress(BODY[:2]) + gzip.compress(BODY[2:])),
        ("deflate", zlib.compress(BODY)),
        ("deflate", raw_deflate(BODY)),
    ],
    ids=["identity", "gzip", "gzip of two members", "zlib", "raw deflate"],
)
async def test_what_aiohttp_decodes_comes_as_text(serve: Serve, encoding: str, body: bytes) -> None:
    server = await serve(answer(body=body, headers={"Content-Encoding": encoding}))
    assert await get(server.url, AttemptMiddleware()) == BODY


@pytest.mark.parametrize("encoding", ["gzip, gzip", "x-gzip", "compress", "br", "zstd", "lzma"])
async def test_an_encoding_that_nobody_decodes_is_named_at_once(
    serve: Serve, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("aiohttp.http_parser", "aiohttp._http_parser"):
        for library in ("HAS_BROTLI", "HAS_ZSTD"):
            monkeypatch.setattr(f"{module}.{library}", False, raising=False)
    server = await serve(answer(body=b"\x0b\x02 whatever", headers={"Content-Encoding": encoding}))
    with pytest.raises(DecodeError, match=encoding):
        await get(server.url, RetryMiddleware(sleep=Sleeps()), AttemptMiddleware())
    assert len(server.requests) == 1


async def test_an_encoding_of_nothing_is_no_obstacle(serve: Serve) -> None:
    server = await serve(answer(204, b"", headers={"Content-Encoding": "gzip, gzip"}))
    assert await get(server.url, AttemptMiddleware()) == b""


@pytest.mark.parametrize(
    "broken",
    [
        gzip.compress(BODY)[:-9],
        gzip.compress(BODY)[:10] + b"\xff" * 10,
        b"\x1f\x8bnot gzip at all",
        b"no gzip",
    ],
    ids=["truncated", "garbage", "only its beginning", "text"],
)
async def test_broken_gzip_is_tried_again(serve: Serve, broken: bytes) -> None:
    server = await serve(
        answer(body=broken[:-2], headers={"Content-Encoding": "gzip"}), answer(body=b"[]")
    )
    retry = RetryMiddleware(sleep=Sleeps())
    assert await get(server.url, retry, AttemptMiddleware()) == b"[]"


# ---- what went wrong


@pytest.mark.parametrize(
    "failure",
    [
        disconnect,
        then(answer(body=b"[1, 2", length=50), disconnect),
        b"garbage that is no HTTP\r\n\r\n",
    ],
    ids=["before", "during", "garbage"],
)
async def test_a_broken_connection_is_converted_where_it_breaks(
    serve: Serve, failure: bytes | Reaction
) -> None:
    server = await serve(failure)
    with pytest.raises(TransportError, match=r"no whole answer from 127\.0\.0\.1: ") as caught:
        await get(server.url, AttemptMiddleware())
    assert isinstance(caught.value.__cause__, aiohttp.ClientError)
    assert len(server.requests) == 1


async def test_two_clocks_are_one_timeout(serve: Serve) -> None:
    server = await serve(stall)
    for clocks in [(0.02, 60.0), (60.0, 0.02), (0.02, None)]:
        stack = [AttemptMiddleware(seconds) for seconds in clocks]
        with pytest.raises(RequestTimeoutError, match=r"in time: attempt_timeout is 0.02 s$"):
            await get(server.url, *stack)


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left"), TimeoutError("a lock"), ValueError()]
)
async def test_an_error_of_anothers_middleware_is_left_alone(
    serve: Serve, error: Exception
) -> None:
    async def failing(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        await handler(request)
        raise error

    server = await serve(answer())
    with pytest.raises(type(error)) as caught:
        await get(server.url, RetryMiddleware(), AttemptMiddleware(), failing)
    assert not isinstance(caught.value, TransportError)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [200, 500])
async def test_a_complaint_about_an_answer_is_no_broken_connection(
    serve: Serve, status: int
) -> None:
    async def strict(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        response = await handler(request)
        response.raise_for_status()
        await response.json()
        return response

    server = await serve(answer(), answer(status, content_type="text/plain"))
    stack = (RetryMiddleware(), AttemptMiddleware(), strict)
    assert await get(server.url, *stack) == b"{}"
    with pytest.raises(aiohttp.ClientResponseError):
        await get(server.url, *stack)
    assert len(server.requests) == 2


# ---- the pool


async def test_waiting_for_a_connection_is_no_attempts_time(serve: Serve) -> None:
    release = asyncio.Event()

    async def answer_later(writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.write(answer(body=BODY))

    server = await serve(answer_later, answer(body=BODY))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:

        async def ask(seconds: float) -> bytes:
            middlewares = [AttemptMiddleware(seconds)]
            async with session.get(server.url, middlewares=middlewares) as response:
                return await response.read()

        holding = asyncio.create_task(ask(60.0))
        await server.arrived.wait()
        waiting = [asyncio.create_task(ask(0.1)) for _ in range(3)]
        await asyncio.sleep(0.3)  # three times as long as an attempt may last
        assert not any(task.done() for task in waiting)
        release.set()
        assert [*await asyncio.gather(holding, *waiting)] == [BODY] * 4


async def test_the_clock_goes_on_once_there_is_a_connection(serve: Serve) -> None:
    server = await serve(stall)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:
        clocks = [AttemptMiddleware(0.05) for _ in range(3)]
        asking = [session.get(server.url, middlewares=[clock]) for clock in clocks]
        outcomes = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [RequestTimeoutError] * 3
    assert len(server.requests) == 3


async def test_who_waits_for_a_connection_without_a_limit_waits(serve: Serve) -> None:
    server = await serve(answer(body=BODY))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:

        async def ask() -> bytes:
            async with session.get(server.url, middlewares=[AttemptMiddleware(None)]) as response:
                return await response.read()

        assert [*await asyncio.gather(ask(), ask())] == [BODY] * 2


@pytest.mark.parametrize("is_ours", [True, False])
async def test_nobody_waits_for_ever_behind_one_that_is_cancelled(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, *, is_ours: bool
) -> None:
    """aiohttp forgets the others when the one it woke is cancelled before it runs."""
    if not is_ours:
        monkeypatch.setattr("pipeflow.middleware.attempt_clock.CHECK_SECONDS", 0.05)
    server = await serve(answer(body=BODY))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as session:

        async def ask(*middlewares: ClientMiddlewareType) -> bytes:
            async with session.get(server.url, middlewares=middlewares) as response:
                return await response.read()

        assert session.connector is not None
        held = await session.connector.connect(
            ClientRequest("GET", URL(server.url), loop=asyncio.get_running_loop()),
            [],
            aiohttp.ClientTimeout(),
        )
        woken = asyncio.create_task(ask(*[AttemptMiddleware()] if is_ours else []))
        await asyncio.sleep(0)
        others = [asyncio.create_task(ask(AttemptMiddleware(None))) for _ in range(3)]
        await asyncio.sleep(0)
        held.release()
        woken.cancel()
        async with asyncio.timeout(0.9 if is_ours else 10.0):
            assert [*await asyncio.gather(*others)] == [BODY] * 3
    assert woken.cancelled()


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_a_session_that_is_closed_ends_the_wait_for_its_pool(
    serve: Serve, *, is_cancelled: bool
) -> None:
    """aiohttp ends it with a CancelledError, though nobody has cancelled the task."""
    server = await serve(stall)
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1))
    clocks = [AttemptMiddleware(60.0) for _ in range(3)]
    asking = [
        asyncio.ensure_future(session.get(server.url, middlewares=[clock])) for clock in clocks
    ]
    await server.arrived.wait()
    if is_cancelled:
        asking[2].cancel()
    await session.close()
    outcomes = await asyncio.gather(*asking, return_exceptions=True)
    last = asyncio.CancelledError if is_cancelled else TransportError
    assert [type(outcome) for outcome in outcomes] == [TransportError, TransportError, last]


async def test_a_request_is_left_as_it_was(serve: Serve) -> None:
    seen = []

    async def outer(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        before = list(request._traces)
        response = await handler(request)
        seen.append((before, list(request._traces)))
        return response

    server = await serve(answer())
    await get(server.url, outer, AttemptMiddleware())
    assert seen == [([], [])]
