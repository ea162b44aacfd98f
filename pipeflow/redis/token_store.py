"""OAuth tokens in a Redis, for processes on several machines."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from redis.exceptions import LockError

from pipeflow.credentials import OAuthTokens

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from redis.asyncio import Redis, RedisCluster

__all__ = ["RedisTokenStore"]

LOCK_SECONDS = 60.0
"""A lock whose holder died is free after so long. A refresh takes far less."""


class RedisTokenStore:
    """Keeps the tokens of one company in a Redis that several processes share.

    They are kept as JSON text that whoever can read the Redis can read. Let Redis write them to
    disk (`appendonly yes`) and evict nothing: what it loses has to be authorized again.

    The lock is a second key, `<key>:lock`. Should its holder die, it is free after a minute.

    Args:
        redis: An asyncio client of redis-py 5 or newer. It is never closed here.
        key: Where the tokens are kept, such as `"pipedrive:acme:tokens"`. One key a company.
    """

    def __init__(self, redis: Redis | RedisCluster, key: str) -> None:
        if not key:
            raise ValueError("key must not be empty")
        self._redis = redis
        self._key = key

    def __repr__(self) -> str:
        return f"<RedisTokenStore {self._key!r}>"

    async def load(self) -> OAuthTokens:
        """The tokens saved last.

        Raises:
            LookupError: There is no such key.
            ValueError: It holds something else. The message quotes nothing of it.
            redis.RedisError: Redis is away.
        """
        tokens = _tokens_in(await self._redis.get(self._key))
        if isinstance(tokens, OAuthTokens):
            return tokens
        raise tokens(f"the key {self._key!r} does not hold OAuth tokens")

    async def save(self, tokens: OAuthTokens) -> None:
        """Replaces the tokens in one step.

        Raises:
            redis.RedisError: Redis is away; they may have been saved all the same.
        """
        await self._redis.set(self._key, json.dumps(tokens.to_dict()))

    @asynccontextmanager
    async def lock(self) -> AsyncGenerator[None, None]:
        """A lock between tasks and processes, on all machines that reach this Redis."""
        lock = self._redis.lock(f"{self._key}:lock", timeout=LOCK_SECONDS, thread_local=False)
        await lock.acquire()
        try:
            yield
        finally:
            with suppress(LockError):  # it took longer than LOCK_SECONDS: another has it by now
                await lock.release()


def _tokens_in(data: bytes | str | None) -> OAuthTokens | type[LookupError | ValueError]:
    """The tokens, or which error to raise. This frame holds their text, and no error passes it."""
    if data is None:
        return LookupError
    with suppress(ValueError, TypeError):
        said = json.loads(data)
        if isinstance(said, dict):
            return OAuthTokens.from_dict(said)
    return ValueError
