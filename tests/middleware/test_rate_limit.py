from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import aiohttp
import pytest

from pipeflow.errors import BlockedError
from pipeflow.limiting import BurstLimiter
from pipeflow.middleware import RateLimitMiddleware, RetryMiddleware
from pipeflow.retrying import RetryPolicy
from tests.middleware.conftest import Sleeps, answer, stall, then

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from pipeflow.limiting.burst import Ticket
    from tests.middleware.conftest import Serve

HTML_403 = answer(403, b"<!DOCTYPE html><title>Blocked</title>", content_type="text/html")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def get(session: aiohttp.ClientSession, url: str) -> int:
    async with session.get(url) as response:
        return response.status


async def test_requests_beyond_the_limit_wait_for_the_window(serve: Serve) -> None:
    server = await serve(answer())
    limiter = BurstLimiter(limit=2, window=0.2)
    async with aiohttp.ClientSession(middlewares=[RateLimitMiddleware(limiter)]) as session:
        begun = time.monotonic()
        await asyncio.gather(*(get(session, server.url) for _ in range(5)))
        # Two windows must pass for five requests at two a window.
        assert time.monotonic() - begun >= 0.4
    assert len(server.requests) == 5


async def test_a_limiter_is_shared_by_sessions(serve: Serve) -> None:
    server = await serve(answer())
    limiter = BurstLimiter(limit=1, window=0.1)
    first, second = RateLimitMiddleware(limiter), RateLimitMiddleware(limiter)
    async with (
        aiohttp.ClientSession(middlewares=[first]) as one,
        aiohttp.ClientSession(middlewares=[second]) as other,
    ):
        begun = time.monotonic()
        await asyncio.gather(get(one, server.url), get(other, server.url))
        assert time.monotonic() - begun >= 0.1


async def test_the_limit_is_learned_from_the_answer(serve: Serve) -> None:
    server = await serve(
        answer(headers={"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "99"})
    )
    limiter = BurstLimiter(limit=1, window=60.0)
    async with aiohttp.ClientSession(middlewares=[RateLimitMiddleware(limiter)]) as session:
        async with asyncio.timeout(10):
            await asyncio.gather(*(get(session, server.url) for _ in range(20)))
    assert limiter.limit == 100


async def test_each_attempt_passes_the_limiter(serve: Serve) -> None:
    """Trap 8: retry outside, limiter inside."""
    server = await serve(answer(503), answer(503), answer())
    limiter = BurstLimiter(limit=1, window=0.1)
    retry = RetryMiddleware(RetryPolicy(base_delay=0.0), sleep=Sleeps())
    limited = RateLimitMiddleware(limiter)
    async with aiohttp.ClientSession(middlewares=[retry, limited]) as session:
        begun = time.monotonic()
        assert await get(session, server.url) == 200
        assert time.monotonic() - begun >= 0.2


async def test_a_cancelled_waiter_hands_its_place_on(serve: Serve) -> None:
    server = await serve(answer())
    limiter = BurstLimiter(limit=1, window=0.1)
    async with aiohttp.ClientSession(middlewares=[RateLimitMiddleware(limiter)]) as session:
        await get(session, server.url)
        cancelled = asyncio.create_task(get(session, server.url))
        patient = asyncio.create_task(get(session, server.url))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert repr(limiter).endswith("2 waiting>")
        cancelled.cancel()
        assert await patient == 200
        await asyncio.gather(cancelled, return_exceptions=True)
    assert cancelled.cancelled()
    assert len(server.requests) == 2


async def test_after_a_burst_429_everyone_waits(serve: Serve) -> None:
    clock = Clock()
    server = await serve(answer(429, headers={"X-RateLimit-Reset": "2"}))
    limiter = BurstLimiter()
    middleware = RateLimitMiddleware(limiter, clock=clock)
    async with aiohttp.ClientSession(middlewares=[middleware]) as session:
        await get(session, server.url)
    ticket = limiter.join(lambda: True, clock.now)
    assert limiter.delay_seconds(ticket, clock.now) == 2.0


async def test_a_daily_429_makes_nobody_wait(serve: Serve) -> None:
    clock = Clock()
    server = await serve(answer(429, b'{"error": "daily request budget exceeded"}'))
    limiter = BurstLimiter()
    middleware = RateLimitMiddleware(limiter, clock=clock)
    async with aiohttp.ClientSession(middlewares=[middleware]) as session:
        await get(session, server.url)
    ticket = limiter.join(lambda: True, clock.now)
    assert limiter.delay_seconds(ticket, clock.now) == 0.0


async def test_after_a_block_nothing_is_sent_until_the_cooldown_ends(serve: Serve) -> None:
    clock = Clock()
    server = await serve(HTML_403, answer())
    middleware = RateLimitMiddleware(cooldown=300.0, clock=clock)
    async with aiohttp.ClientSession(middlewares=[middleware]) as session:
        assert await get(session, server.url) == 403
        clock.now += 100.0
        with pytest.raises(BlockedError, match="ends in 200 s") as caught:
            await get(session, server.url)
        assert caught.value.retry_after == 200.0
        assert len(server.requests) == 1
        clock.now += 200.0
        assert await get(session, server.url) == 200


async def test_a_json_403_is_no_block(serve: Serve) -> None:
    server = await serve(answer(403), answer())
    async with aiohttp.ClientSession(middlewares=[RateLimitMiddleware()]) as session:
        assert await get(session, server.url) == 403
        assert await get(session, server.url) == 200


async def test_a_block_reaches_those_who_wait(serve: Serve) -> None:
    release = asyncio.Event()

    async def blocked_later(writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.write(HTML_403)

    server = await serve(blocked_later)
    limiter = BurstLimiter(limit=1, window=60.0)
    async with aiohttp.ClientSession(middlewares=[RateLimitMiddleware(limiter)]) as session:
        first = asyncio.create_task(get(session, server.url))
        waiting = [asyncio.create_task(get(session, server.url)) for _ in range(3)]
        await server.arrived.wait()
        release.set()
        assert await first == 403
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [BlockedError] * 3
    assert len(server.requests) == 1


async def test_a_failed_request_still_counts(serve: Serve) -> None:
    server = await serve(then(b"", stall))
    limiter = BurstLimiter(limit=1, window=60.0)
    async with aiohttp.ClientSession(middlewares=[RateLimitMiddleware(limiter)]) as session:
        task = asyncio.create_task(get(session, server.url))
        await server.arrived.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    ticket = limiter.join(lambda: True, time.monotonic())
    delay = limiter.delay_seconds(ticket, time.monotonic())
    assert delay is not None
    assert delay > 50


def test_a_waiter_of_a_dead_loop_disturbs_nobody() -> None:
    limiter = BurstLimiter(limit=1, window=0.01)
    middleware = RateLimitMiddleware(limiter)
    abandoned: list[Coroutine[object, None, Ticket]] = []

    async def wait_and_vanish() -> None:
        limiter.join(lambda: True, time.monotonic())
        waiting = middleware._granted_ticket()
        waiting.send(None)
        abandoned.append(waiting)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(wait_and_vanish())
    loop.close()

    async def live_on() -> Ticket:
        async with asyncio.timeout(10):
            ticket = await middleware._granted_ticket()
        abandoned[0].close()  # pragma: no cover - CPython 3.11 loses the trace here
        return ticket  # pragma: no cover

    assert asyncio.run(live_on()).slot_free_at is not None
