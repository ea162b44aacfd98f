from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis

from tests.redis.server import PROGRAM, RedisServer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator


@pytest.fixture(scope="session")
def shared_server() -> Iterator[RedisServer]:
    if PROGRAM is None:  # pragma: no cover - where there is one
        pytest.skip("there is no redis-server on this machine")
    with RedisServer() as server:
        yield server


@pytest.fixture
async def redis(shared_server: RedisServer) -> AsyncGenerator[Redis]:
    """A client of an empty Redis."""
    async with Redis.from_url(shared_server.url) as client:
        await client.flushall()
        yield client


@pytest.fixture
def own_server() -> Iterator[RedisServer]:
    """One that the test may stop."""
    if PROGRAM is None:  # pragma: no cover - where there is one
        pytest.skip("there is no redis-server on this machine")
    with RedisServer() as server:
        yield server
