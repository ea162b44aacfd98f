"""Random lives of three limiters on one Redis: never above the limit, and nothing stays held."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING

import pytest

from pipeflow.answers import RateLimit
from pipeflow.redis import RedisBurstLimiter

if TYPE_CHECKING:
    from redis.asyncio import Redis

LIMIT = 6
WINDOW = 0.3


async def live(limiter: RedisBurstLimiter, chance: random.Random, sent: list[float]) -> None:
    """One request: sent and answered, sent and lost, or given up."""
    slot = await limiter.acquire()
    if chance.random() < 0.2:
        slot.cancel()
        return
    sent.append(time.monotonic())
    if chance.random() < 0.1:
        slot.release(None)
        return
    await asyncio.sleep(chance.uniform(0.0, 0.05))
    slot.release(RateLimit(limit=LIMIT))


@pytest.mark.parametrize("seed", range(3))
async def test_no_life_exceeds_the_limit_and_nothing_stays_held(redis: Redis, seed: int) -> None:
    chance = random.Random(seed)
    limiters = [RedisBurstLimiter(redis, key="any", limit=LIMIT, window=WINDOW) for _ in range(3)]
    sent: list[float] = []
    tasks = []
    for _ in range(40):
        tasks.append(asyncio.create_task(live(chance.choice(limiters), chance, sent)))
        await asyncio.sleep(chance.choice([0.0, 0.0, 0.01, 0.05]))
        if chance.random() < 0.3:
            chance.choice(tasks).cancel()
        if chance.random() < 0.05:
            chance.choice(limiters).pause(0.1)
    async with asyncio.timeout(20):
        await asyncio.gather(*tasks, return_exceptions=True)
        for limiter in limiters:
            await limiter.aclose()
    sent.sort()
    crowded = [
        (first, later)
        for first, later in zip(sent, sent[LIMIT:], strict=False)
        if later - first < WINDOW
    ]
    assert crowded == []
    assert {task.exception() for task in tasks if not task.cancelled()} == {None}
    for name in ("waiting", "due"):
        assert await redis.keys(f"*:{name}") == []
    (key,) = await redis.keys("*:sent")
    latest = (await redis.zrange(key, -1, -1, withscores=True))[0]
    assert float(latest[1]) / 1e6 < time.time() + WINDOW + 0.5 + 0.1
