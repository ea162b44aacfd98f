from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis

from pipeflow.credentials import OAuthTokens, TokenStore
from pipeflow.redis import RedisTokenStore

if TYPE_CHECKING:
    from tests.redis.server import RedisServer

KEY = "pipedrive:acme:tokens"


def some_tokens(number: int = 1) -> OAuthTokens:
    return OAuthTokens(
        access_token=f"access-token-{number}",
        refresh_token=f"refresh-token-{number}",
        expires_at=datetime(2026, 1, 2, tzinfo=UTC),
        api_domain="https://acme.pipedrive.com",
    )


@pytest.mark.parametrize("decoding", [False, True])
async def test_what_was_saved_last_is_there_for_all(
    shared_server: RedisServer, *, decoding: bool
) -> None:
    async with Redis.from_url(shared_server.url, decode_responses=decoding) as redis:
        await redis.flushall()
        store = RedisTokenStore(redis, KEY)
        assert isinstance(store, TokenStore)
        with pytest.raises(LookupError, match="acme"):
            await store.load()
        await store.save(some_tokens())
        await store.save(some_tokens(2))
        assert await RedisTokenStore(redis, KEY).load() == some_tokens(2)
        assert await redis.pttl(KEY) == -1
        assert "token-" not in repr(store)


@pytest.mark.parametrize("text", ["[]", '{"access_token": "access-token-1"}', "access-token-1"])
async def test_something_else_is_an_error_that_quotes_nothing(redis: Redis, text: str) -> None:
    await redis.set(KEY, text)
    with pytest.raises(ValueError, match="does not hold OAuth tokens") as refused:
        await RedisTokenStore(redis, KEY).load()
    assert "access-token-1" not in str(refused.value)
    assert refused.value.__context__ is None


async def test_one_holds_the_lock_at_a_time(redis: Redis) -> None:
    held: list[str] = []

    async def refresh(name: str) -> None:
        async with RedisTokenStore(redis, KEY).lock():
            held.append(f"{name} begins")
            await asyncio.sleep(0)
            held.append(f"{name} ends")

    await asyncio.gather(*(refresh(name) for name in "abc"))
    assert [word.split()[1] for word in held] == ["begins", "ends"] * 3
    assert all(held[place][0] == held[place + 1][0] for place in (0, 2, 4))


async def test_the_lock_of_the_dead_is_free_in_time_and_no_other_is_freed(redis: Redis) -> None:
    async with RedisTokenStore(redis, KEY).lock():
        assert 0 < await redis.pttl(f"{KEY}:lock") <= 60_000
        await redis.set(f"{KEY}:lock", "another holder")
    assert await redis.get(f"{KEY}:lock") == b"another holder"


async def test_load_and_save_do_not_wait_for_the_lock(redis: Redis) -> None:
    store = RedisTokenStore(redis, KEY)
    async with asyncio.timeout(5), store.lock():
        await store.save(some_tokens())
        assert await store.load() == some_tokens()


async def test_a_key_has_a_name(redis: Redis) -> None:
    with pytest.raises(ValueError, match="key"):
        RedisTokenStore(redis, "")
