"""One limit for many: two limiters on one Redis stand for two processes."""

from __future__ import annotations

import asyncio
import logging
import pickle
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from redis.asyncio import Redis

from pipeflow.answers import RateLimit
from pipeflow.errors import (
    BlockedError,
    DailyBudgetExhaustedError,
    RateLimitError,
    TransportError,
)
from pipeflow.limiting import Limiter
from pipeflow.redis import RedisBurstLimiter

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from tests.conftest import Wrong
    from tests.redis.server import RedisServer

Client: TypeAlias = Any
"""A redis-py client, whose answers are typed as bytes or text, and much else."""

ANSWERED = RateLimit()
HOUR = 3600.0
TOKEN = "made-up-token"
MICROSECONDS = 1_000_000


def limiter_of(redis: Client, limit: int = 4, window: float = 0.4) -> RedisBurstLimiter:
    return RedisBurstLimiter(redis, key=TOKEN, limit=limit, window=window)


@pytest.fixture
async def pair(redis: Client) -> AsyncGenerator[tuple[RedisBurstLimiter, RedisBurstLimiter]]:
    pair = limiter_of(redis), limiter_of(redis)
    yield pair
    for limiter in pair:
        await limiter.aclose()


async def key_of(redis: Client, name: str) -> bytes:
    (key,) = await redis.keys(f"*:{name}")
    return bytes(key)


async def state(redis: Client) -> dict[bytes, int]:
    stored = await redis.hgetall(await key_of(redis, "state"))
    return {name: int(value) for name, value in stored.items()}


async def count(redis: Client, name: str) -> int:
    return sum([int(await redis.zcard(key)) for key in await redis.keys(f"*:{name}")])


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def queued(redis: Client, most: int) -> None:
    async with asyncio.timeout(10):
        while await count(redis, "waiting") < most:
            await asyncio.sleep(0.005)


async def use_up(*limiters: RedisBurstLimiter) -> None:
    """Takes every slot that is there at once: those of half a window, and the first."""
    for number in range(limiters[0].limit // 2 + 1):
        await limiters[number % len(limiters)].acquire()


# ---- one limit


async def test_it_is_a_limiter(redis: Client) -> None:
    assert isinstance(limiter_of(redis), Limiter)
    assert repr(limiter_of(redis)) == "<RedisBurstLimiter 4 per 0.4 s>"
    assert (limiter_of(redis).limit, limiter_of(redis).window) == (4, 0.4)


@pytest.mark.parametrize("decoding", [False, True])
async def test_the_first_half_is_sent_at_once(
    shared_server: RedisServer, *, decoding: bool
) -> None:
    async with Redis.from_url(shared_server.url, decode_responses=decoding) as redis:
        await redis.flushall()
        limiter = limiter_of(redis, limit=10, window=60.0)
        async with asyncio.timeout(5):
            await use_up(limiter)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await limiter.acquire()
        await limiter.aclose()


async def test_no_window_holds_more_than_the_limit(
    pair: tuple[RedisBurstLimiter, RedisBurstLimiter],
) -> None:
    sent: list[float] = []

    async def send(limiter: RedisBurstLimiter) -> None:
        slot = await limiter.acquire()
        sent.append(time.monotonic())
        slot.release(ANSWERED)

    begin = time.monotonic()
    await asyncio.gather(*(send(pair[number % 2]) for number in range(16)))
    sent.sort()
    assert all(later - first >= 0.4 for first, later in zip(sent, sent[4:], strict=False))
    assert time.monotonic() - begin < 5.0


async def test_first_come_first_served_over_all(
    redis: Client, pair: tuple[RedisBurstLimiter, RedisBurstLimiter]
) -> None:
    order: list[int] = []

    async def send(number: int) -> None:
        slot = await pair[number % 2].acquire()
        order.append(number)
        slot.release(ANSWERED)

    pair[0].pause(0.3)
    await pair[0].aclose()
    tasks = []
    for number in range(8):
        tasks.append(asyncio.create_task(send(number)))
        await queued(redis, number + 1)
    await asyncio.gather(*tasks)
    assert order == list(range(8))


async def test_a_slot_costs_one_round_trip_before_and_one_after(redis: Client) -> None:
    limiter = limiter_of(redis)
    (await limiter.acquire()).release(ANSWERED)  # loads the script
    await limiter.aclose()
    await redis.config_resetstat()
    (await limiter.acquire()).release(ANSWERED)
    await limiter.aclose()
    stats = await redis.info("commandstats")
    assert stats["cmdstat_evalsha"]["calls"] == 2


async def test_a_script_flush_is_survived(redis: Client) -> None:
    limiter = limiter_of(redis)
    await limiter.acquire()
    await redis.script_flush()
    await limiter.acquire()
    assert await count(redis, "sent") == 2


async def test_no_key_holds_the_token_and_all_are_of_one_slot_and_expire(
    redis: Client, pair: tuple[RedisBurstLimiter, RedisBurstLimiter]
) -> None:
    await use_up(pair[0])
    task = asyncio.create_task(pair[0].acquire())
    waiting = [asyncio.create_task(pair[1].acquire()) for _ in range(4)]
    await queued(redis, 1)
    keys = [key.decode() for key in await redis.keys("*")]
    assert sorted(key.rpartition(":")[2] for key in keys) == ["due", "sent", "state", "waiting"]
    assert len({key[key.index("{") : key.index("}")] for key in keys}) == 1
    assert not any(TOKEN in key for key in keys)
    assert [key for key in keys if await redis.pttl(key) < 0] == []
    for each in (task, *waiting):
        each.cancel()
    await asyncio.wait([task, *waiting])


# ---- what is given back


async def test_a_cancelled_waiter_leaves_the_queue(redis: Client) -> None:
    limiter = limiter_of(redis, window=60.0)
    await use_up(limiter)
    task = asyncio.create_task(limiter.acquire())
    await queued(redis, 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await limiter.aclose()
    assert await count(redis, "waiting") == await count(redis, "due") == 0


async def test_a_call_that_was_cancelled_on_the_way_holds_nothing(redis: Client) -> None:
    limiter = limiter_of(redis)
    await limiter.acquire()
    task = asyncio.create_task(limiter.acquire())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await limiter.aclose()
    assert await count(redis, "sent") == 1
    assert await count(redis, "waiting") == 0


async def test_a_slot_that_is_not_used_goes_to_the_next(redis: Client) -> None:
    limiter = limiter_of(redis, window=60.0)
    slots = [await limiter.acquire(), await limiter.acquire()]
    before = await state(redis)
    slots[0].cancel()
    await limiter.aclose()
    assert await count(redis, "sent") == 1
    assert before[b"evenly"] - (await state(redis))[b"evenly"] == 15 * MICROSECONDS
    async with asyncio.timeout(1):
        await limiter.acquire()


async def test_the_dead_lose_their_places(redis: Client) -> None:
    limiter = limiter_of(redis)
    await use_up(limiter)
    now = int((await redis.time())[0]) * MICROSECONDS
    prefix = (await key_of(redis, "sent")).rpartition(b":")[0]
    for number in range(40):
        await redis.zadd(prefix + b":waiting", {f"dead-{number}": -100 + number})
        await redis.zadd(prefix + b":due", {f"dead-{number}": now - number})
    async with asyncio.timeout(3):
        await limiter.acquire()
    assert await count(redis, "waiting") == await count(redis, "due") == 0


async def test_who_is_late_but_lives_keeps_its_place(redis: Client) -> None:
    limiter = limiter_of(redis, window=8.0)
    await use_up(limiter)
    task = asyncio.create_task(limiter.acquire())
    await queued(redis, 1)
    due = await key_of(redis, "due")
    (request,) = await redis.zrange(due, 0, -1)
    await redis.zadd(due, {request: 1})
    async with asyncio.timeout(8):
        await task


async def test_what_was_not_answered_counts_as_long_as_it_can_be_on_its_way(redis: Client) -> None:
    limiter = limiter_of(redis, window=60.0)
    slot = await limiter.acquire()
    sent = await key_of(redis, "sent")
    ((_, unanswered),) = await redis.zrange(sent, 0, -1, withscores=True)
    slot.release(None)
    await limiter.aclose()
    ((_, still),) = await redis.zrange(sent, 0, -1, withscores=True)
    assert still == unanswered
    slot.release(ANSWERED)
    await limiter.aclose()
    ((_, answered),) = await redis.zrange(sent, 0, -1, withscores=True)
    assert 0 < unanswered - answered < 0.5 * MICROSECONDS


# ---- what the answers tell


async def test_the_limit_is_learned_for_all(
    redis: Client, pair: tuple[RedisBurstLimiter, RedisBurstLimiter]
) -> None:
    (await pair[0].acquire()).release(RateLimit(limit=30, remaining=29))
    await pair[0].aclose()
    assert pair[0].limit == 30
    assert (await state(redis))[b"limit"] == 30
    (await pair[1].acquire()).release(ANSWERED)
    await pair[1].aclose()
    assert pair[1].limit == 30


async def test_the_other_processes_are_not_taken_for_strangers(
    redis: Client, pair: tuple[RedisBurstLimiter, RedisBurstLimiter]
) -> None:
    slots = [await pair[0].acquire(), await pair[1].acquire()]
    slots[0].release(RateLimit(limit=20, remaining=18))
    slots[1].release(RateLimit(limit=20, remaining=19))
    await pair[0].aclose()
    await pair[1].aclose()
    known = await state(redis)
    assert known[b"others"] == 0
    assert b"reserve_until" not in known


async def test_strangers_are_left_what_they_use(redis: Client) -> None:
    limiter = limiter_of(redis, limit=20, window=60.0)
    (await limiter.acquire()).release(RateLimit(limit=20, remaining=19, reset_seconds=60.0))
    await limiter.aclose()
    (await limiter.acquire()).release(RateLimit(limit=20, remaining=12, reset_seconds=60.0))
    await limiter.aclose()
    known = await state(redis)
    assert (known[b"others"], known[b"reserve"]) == (6, 6)


async def test_an_old_answer_tells_nothing_of_strangers(redis: Client) -> None:
    limiter = limiter_of(redis)
    slot = await limiter.acquire()
    await asyncio.sleep(0.55)  # longer than a request is on its way
    slot.release(RateLimit(limit=20, remaining=3))
    await limiter.aclose()
    known = await state(redis)
    assert known[b"limit"] == 20
    assert b"others" not in known


# ---- pauses and blocks


@pytest.mark.parametrize(("seconds", "left"), [(30.0, 30.0), (None, 0.4)])
async def test_a_pause_holds_for_all(
    redis: Client,
    pair: tuple[RedisBurstLimiter, RedisBurstLimiter],
    seconds: float | None,
    left: float,
) -> None:
    pair[0].pause(seconds)
    await pair[0].aclose()
    now = (await redis.time())[0] * MICROSECONDS
    known = await state(redis)
    assert known[b"pause_until"] - now == pytest.approx(left * MICROSECONDS, abs=2 * MICROSECONDS)
    begin = time.monotonic()
    with suppress(TimeoutError):
        async with asyncio.timeout(1.0):
            await pair[1].acquire()
    assert time.monotonic() - begin >= 0.3


async def test_a_shorter_pause_does_not_end_a_longer_one(redis: Client) -> None:
    limiter = limiter_of(redis)
    limiter.pause(60.0)
    await limiter.aclose()
    before = await state(redis)
    limiter.pause(1.0)
    await limiter.aclose()
    assert await state(redis) == before


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("cloudflare", BlockedError),
        ("long_wait", RateLimitError),
        ("daily_budget", DailyBudgetExhaustedError),
    ],
)
async def test_a_block_refuses_in_all_processes(
    redis: Client,
    pair: tuple[RedisBurstLimiter, RedisBurstLimiter],
    reason: Wrong,
    error: type[RateLimitError],
) -> None:
    pair[0].block(HOUR, reason)
    for limiter in pair:
        with pytest.raises(error) as refused:
            await limiter.acquire()
        assert refused.value.retry_after == pytest.approx(HOUR, abs=5.0)
        assert TOKEN not in repr(refused.value) + str(pickle.dumps(refused.value))
    assert await count(redis, "waiting") == 0


async def test_a_block_refuses_those_that_wait(redis: Client) -> None:
    limiter = limiter_of(redis, window=60.0)
    await use_up(limiter)
    tasks = [asyncio.create_task(limiter.acquire()) for _ in range(3)]
    await queued(redis, 3)
    limiter.block(HOUR, "cloudflare")
    async with asyncio.timeout(5):
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(error) for error in ended} == {BlockedError}


async def test_one_request_asks_whether_the_day_has_begun_anew(
    redis: Client, pair: tuple[RedisBurstLimiter, RedisBurstLimiter]
) -> None:
    pair[0].block(HOUR, "daily_budget")
    await pair[0].aclose()
    name = await key_of(redis, "state")
    await redis.hset(name, "probe_at", 0)
    probe = await pair[0].acquire()
    with pytest.raises(DailyBudgetExhaustedError):
        await pair[1].acquire()
    probe.cancel()  # it was not sent: the next may ask
    await pair[0].aclose()
    probe = await pair[1].acquire()
    probe.release(ANSWERED)
    await pair[1].aclose()
    await pair[0].acquire()


async def test_an_old_question_ends_no_newer_block(redis: Client) -> None:
    limiter = limiter_of(redis)
    limiter.block(HOUR, "daily_budget")
    await limiter.aclose()
    await redis.hset(await key_of(redis, "state"), "probe_at", 0)
    probe = await limiter.acquire()
    limiter.block(HOUR, "daily_budget")
    await limiter.aclose()
    probe.release(ANSWERED)
    await limiter.aclose()
    with pytest.raises(DailyBudgetExhaustedError):
        await limiter.acquire()


# ---- Redis is away


async def test_a_process_alone_keeps_to_its_share_and_comes_back(
    own_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pipeflow")
    async with Redis.from_url(own_server.url) as redis:
        limiter = RedisBurstLimiter(redis, key=TOKEN, limit=40, window=60.0)
        (await limiter.acquire()).release(RateLimit(limit=80, remaining=79))
        await limiter.aclose()
        own_server.stop()
        slots = [await limiter.acquire() for _ in range(11)]  # half of a quarter of 80, and one
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await limiter.acquire()
        assert repr(limiter) == "<RedisBurstLimiter 80 per 60 s, Redis is away>"
        slots[0].release(None)
        slots[1].release(RateLimit())
        slots[2].release(RateLimit(limit=80, remaining=0))
        slots[3].cancel()
        own_server.start()
        await asyncio.sleep(0.6)  # until it is tried again
        await limiter.acquire()
        assert await count(redis, "sent") >= 9  # what was sent meanwhile is known
        await limiter.aclose()
    warned, back = [record.getMessage() for record in caplog.records]
    assert "ConnectionError" in warned
    assert "keeps to 20 requests per 60 s by itself" in warned
    assert "answers again" in back


async def test_what_was_said_while_redis_was_away_is_told_later(own_server: RedisServer) -> None:
    async with Redis.from_url(own_server.url) as redis:
        limiter, other = limiter_of(redis), limiter_of(redis)
        slot = await limiter.acquire()
        own_server.stop()
        await limiter.acquire()
        limiter.pause(0.01)
        limiter.block(HOUR, "cloudflare")
        with pytest.raises(BlockedError):
            await limiter.acquire()
        slot.release(ANSWERED)
        slot.cancel()
        await limiter.aclose()
        own_server.start()
        await asyncio.sleep(0.6)  # until it is tried again
        for each in (limiter, other):
            with pytest.raises(BlockedError):
                await each.acquire()


async def test_what_was_said_before_holds_without_redis(own_server: RedisServer) -> None:
    async with Redis.from_url(own_server.url) as redis:
        limiter = limiter_of(redis)
        limiter.pause(0.0)
        limiter.pause(HOUR)
        limiter.block(HOUR, "cloudflare")
        await limiter.aclose()
        own_server.stop()
        with pytest.raises(BlockedError):
            await limiter.acquire()


async def test_a_block_that_finds_redis_away_holds_at_once(own_server: RedisServer) -> None:
    async with Redis.from_url(own_server.url) as redis:
        limiter = limiter_of(redis)
        slot = await limiter.acquire()
        own_server.stop()
        slot.release(ANSWERED)
        slot.cancel()
        limiter.block(HOUR, "cloudflare")
        with pytest.raises(BlockedError):
            await limiter.acquire()
        await limiter.aclose()


async def test_a_redis_that_hangs_is_away(own_server: RedisServer) -> None:
    async with Redis.from_url(own_server.url) as redis:
        limiter = limiter_of(redis)
        await limiter.acquire()
        own_server.freeze()
        async with asyncio.timeout(5):
            await limiter.acquire()
        own_server.thaw()


async def test_requests_wait_for_redis(own_server: RedisServer) -> None:
    async with Redis.from_url(own_server.url) as redis:
        limiter = RedisBurstLimiter(redis, key=TOKEN, when_away="wait")
        own_server.stop()
        task = asyncio.create_task(limiter.acquire())
        await until(lambda: "away" in repr(limiter))
        own_server.start()
        async with asyncio.timeout(5):
            await task
        assert "away" not in repr(limiter)


async def test_requests_fail_without_redis(own_server: RedisServer) -> None:
    async with Redis.from_url(own_server.url) as redis:
        limiter = RedisBurstLimiter(redis, key=TOKEN, when_away="raise")
        own_server.stop()
        for _ in range(2):
            with pytest.raises(TransportError, match="nothing was sent"):
                await limiter.acquire()


# ---- arguments


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"key": ""}, "key"),
        ({"limit": 0}, "limit"),
        ({"window": 0.0}, "window"),
        ({"when_away": "hope"}, "when_away"),
        ({"fallback_share": 0.0}, "fallback_share"),
        ({"fallback_share": 1.5}, "fallback_share"),
    ],
)
async def test_arguments_out_of_bounds_are_named(
    redis: Client, wrong: dict[str, Wrong], named: str
) -> None:
    arguments: dict[str, Wrong] = {"key": TOKEN, **wrong}
    with pytest.raises(ValueError, match=named):
        RedisBurstLimiter(redis, **arguments)
