from __future__ import annotations

import gzip
import tracemalloc
from typing import TYPE_CHECKING

import aiohttp
import pytest

from pipeflow.errors import DecodeError
from pipeflow.middleware import AttemptMiddleware, RetryMiddleware
from tests.middleware.conftest import Sleeps, answer

if TYPE_CHECKING:
    from aiohttp import ClientMiddlewareType

    from tests.middleware.conftest import Serve


async def get(url: str, *middlewares: ClientMiddlewareType, auto_decompress: bool = True) -> bytes:
    async with (
        aiohttp.ClientSession(middlewares=middlewares) as session,
        session.get(url, auto_decompress=auto_decompress) as response,
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
            auto_decompress=False,
        )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


@pytest.mark.parametrize("auto_decompress", [True, False])
async def test_a_compressed_answer_is_unzipped(serve: Serve, *, auto_decompress: bool) -> None:
    server = await serve(
        answer(body=gzip.compress(b"[1, 2]"), headers={"Content-Encoding": "gzip"})
    )
    body = await get(server.url, AttemptMiddleware(), auto_decompress=auto_decompress)
    assert body == b"[1, 2]"


@pytest.mark.parametrize(
    "broken",
    [gzip.compress(b"[1, 2]")[:-4], gzip.compress(b"[1, 2]")[:10] + b"\xff" * 10],
    ids=["truncated", "garbage"],
)
async def test_broken_gzip_is_tried_again(serve: Serve, broken: bytes) -> None:
    server = await serve(
        answer(body=broken, headers={"Content-Encoding": "gzip"}), answer(body=b"[]")
    )
    retry = RetryMiddleware(sleep=Sleeps())
    assert await get(server.url, retry, AttemptMiddleware(), auto_decompress=False) == b"[]"
