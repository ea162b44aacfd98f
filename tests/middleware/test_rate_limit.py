from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import aiohttp
import pytest

from pipeflow.answers import RateLimit
from pipeflow.errors import BlockedError, DailyBudgetExhaustedError, RateLimitError
from pipeflow.limiting import BurstLimiter, Limiter, block_error
from pipeflow.limiting.blocks import PROBE_INTERVAL
from pipeflow.middleware import RateLimitMiddleware, RetryMiddleware
from pipeflow.observing import LimitWaited, Observer, SendingStopped
from pipeflow.retrying import RetryPolicy
from tests.middleware.conftest import Sleeps, answer, disconnect, stall, then

if TYPE_CHECKING:
    from pipeflow.limiting import BlockReason
    from tests.middleware.conftest import RawServer, Serve

HTML_403 = answer(403, b"<!DOCTYPE html><title>Blocked</title>", content_type="text/html")


DAILY_429 = answer(429, b'{"error": "daily request budget exceeded", "errorCode": 429}')
NOON = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)
HOUR = 3600.0


class Clock:
    def __init__(self, now: float = 100.0) -> None:
        self.now = now

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


class Stops(Observer):
    def __init__(self) -> None:
        self.heard: list[SendingStopped] = []

    def sending_stopped(self, event: SendingStopped) -> None:
        self.heard.append(event)


class Waits(Observer):
    def __init__(self) -> None:
        self.heard: list[LimitWaited] = []

    def limit_waited(self, event: LimitWaited) -> None:
        self.heard.append(event)


class NotedSlot:
    def __init__(self, calls: list[object]) -> None:
        self.calls = calls

    def release(self, rate_limit: RateLimit | None) -> None:
        self.calls.append(("release", rate_limit))

    def cancel(self) -> None:
        self.calls.append("cancel")


class NotedLimiter:
    """A limiter of somebody's own, which grants everything and notes what it is told."""

    def __init__(self) -> None:
        self.calls: list[object] = []

    async def acquire(self) -> NotedSlot:
        self.calls.append("acquire")
        return NotedSlot(self.calls)

    def pause(self, seconds: float | None) -> None:
        self.calls.append(("pause", seconds))

    def block(self, seconds: float, reason: BlockReason) -> None:
        self.calls.append(("block", seconds, reason))


async def calls_after(server_answer: bytes, serve: Serve, *, at: datetime = NOON) -> list[object]:
    """What a limiter is told of one request."""
    server = await serve(server_answer)
    limiter = NotedLimiter()
    middleware = RateLimitMiddleware(limiter, wall_clock=at.timestamp)
    async with aiohttp.ClientSession(middlewares=[middleware]) as session:
        await get(session, server.url)
    return limiter.calls


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


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({}, None), ({"Retry-After": "7"}, 7.0), ({"X-RateLimit-Reset": "2"}, 2.0)],
)
async def test_after_a_burst_429_the_limiter_pauses(
    serve: Serve, headers: dict[str, str], seconds: float | None
) -> None:
    told = RateLimit(reset_seconds=2.0 if "X-RateLimit-Reset" in headers else None)
    assert await calls_after(answer(429, headers=headers), serve) == [
        "acquire",
        ("pause", seconds),
        ("release", told),
    ]


@pytest.mark.parametrize(("headers", "seconds"), [({}, 300.0), ({"Retry-After": "90"}, 90.0)])
async def test_after_a_block_the_limiter_blocks(
    serve: Serve, headers: dict[str, str], seconds: float
) -> None:
    page = answer(403, b"<title>Blocked</title>", content_type="text/html", headers=headers)
    assert await calls_after(page, serve) == [
        "acquire",
        ("block", seconds, "cloudflare"),
        ("release", RateLimit()),
    ]


async def test_after_a_429_that_asks_too_much_the_limiter_blocks(serve: Serve) -> None:
    calls = await calls_after(answer(429, headers={"Retry-After": "61"}), serve)
    assert calls[1] == ("block", 61.0, "long_wait")
    calls = await calls_after(answer(429, headers={"Retry-After": "60"}), serve)
    assert calls[1] == ("pause", 60.0)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "3939"}, 3939.0),
        ({}, 12 * HOUR),
        ({"X-RateLimit-Reset": "2"}, 12 * HOUR),
    ],
)
async def test_after_a_daily_429_the_limiter_blocks_until_the_stated_time_or_midnight(
    serve: Serve, headers: dict[str, str], seconds: float
) -> None:
    body = b'{"error": "daily request budget exceeded"}'
    calls = await calls_after(answer(429, body, headers=headers), serve)
    assert calls[1] == ("block", seconds, "daily_budget")


async def test_what_is_refused_without_being_sent_costs_no_slot(serve: Serve) -> None:
    server = await serve(answer())

    class Refusing(NotedLimiter):
        async def acquire(self) -> NotedSlot:
            raise block_error("daily_budget", 60.0)

    async with aiohttp.ClientSession(middlewares=[RateLimitMiddleware(Refusing())]) as session:
        with pytest.raises(DailyBudgetExhaustedError):
            await get(session, server.url)
    assert server.requests == []


@pytest.mark.parametrize("wrong", [20, object()])
def test_what_is_not_a_limiter_is_refused(wrong: Limiter) -> None:
    with pytest.raises(TypeError, match=r"must have the methods of pipeflow\.limiting\.Limiter"):
        RateLimitMiddleware(wrong)


async def test_after_a_block_nothing_is_sent_until_the_cooldown_ends(serve: Serve) -> None:
    clock = Clock()
    server = await serve(HTML_403, answer())
    stops = Stops()
    middleware = RateLimitMiddleware(cooldown=300.0, clock=clock, observer=stops)
    async with aiohttp.ClientSession(middlewares=[middleware]) as session:
        assert await get(session, server.url) == 403
        clock.now += 100.0
        with pytest.raises(BlockedError, match="ends in 200 s") as caught:
            await get(session, server.url)
        assert caught.value.retry_after == 200.0
        assert len(server.requests) == 1
        clock.now += 200.0
        assert await get(session, server.url) == 200
    assert stops.heard == [SendingStopped(reason="cloudflare", seconds=300.0)]


async def test_a_json_403_is_not_a_block(serve: Serve) -> None:
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


async def test_after_a_long_wait_was_asked_for_everybody_is_refused(serve: Serve) -> None:
    clock = Clock()
    server = await serve(answer(429, headers={"Retry-After": "100"}), answer())
    limiter = BurstLimiter(clock=clock)
    one, other = RateLimitMiddleware(limiter), RateLimitMiddleware(limiter)
    async with (
        aiohttp.ClientSession(middlewares=[one]) as session,
        aiohttp.ClientSession(middlewares=[other]) as sibling,
    ):
        assert await get(session, server.url) == 429
        with pytest.raises(RateLimitError, match="100 s of it are left") as caught:
            await get(sibling, server.url)
        assert caught.value.retry_after == 100.0
        clock.now += 100.0
        assert await get(sibling, server.url) == 200


# ---- the daily budget


async def test_after_a_daily_429_no_session_of_the_limiter_sends_until_midnight(
    serve: Serve,
) -> None:
    wall_clock, stops = Clock(NOON.timestamp()), Stops()
    server = await serve(DAILY_429, answer())
    limiter = BurstLimiter(wall_clock=wall_clock)
    one = RateLimitMiddleware(limiter, wall_clock=wall_clock, observer=stops)
    other = RateLimitMiddleware(limiter, wall_clock=wall_clock)
    async with (
        aiohttp.ClientSession(middlewares=[one]) as session,
        aiohttp.ClientSession(middlewares=[other]) as sibling,
    ):
        assert await get(session, server.url) == 429
        wall_clock.now += 60.0
        for refused in (session, sibling, session):
            with pytest.raises(DailyBudgetExhaustedError, match="nothing was sent") as caught:
                await get(refused, server.url)
            assert caught.value.retry_after == 12 * HOUR - 60.0
        assert len(server.requests) == 1
        wall_clock.now += 12 * HOUR - 60.0
        assert await get(sibling, server.url) == 200
    assert stops.heard == [SendingStopped(reason="daily_budget", seconds=12 * HOUR)]


async def test_now_and_then_one_request_asks_whether_there_are_new_tokens(serve: Serve) -> None:
    wall_clock = Clock(NOON.timestamp())
    server = await serve(DAILY_429, DAILY_429, answer())
    middleware = RateLimitMiddleware(wall_clock=wall_clock)
    async with aiohttp.ClientSession(middlewares=[middleware]) as session:
        assert await get(session, server.url) == 429
        for status in (429, 200):
            with pytest.raises(DailyBudgetExhaustedError):
                await get(session, server.url)
            wall_clock.now += PROBE_INTERVAL
            assert await get(session, server.url) == status
        assert await get(session, server.url) == 200
    assert len(server.requests) == 4


async def test_a_probe_whose_answer_breaks_off_lifts_nothing(serve: Serve) -> None:
    wall_clock = Clock(NOON.timestamp())
    server = await serve(DAILY_429, then(answer(429, length=99), disconnect), answer())
    middleware = RateLimitMiddleware(wall_clock=wall_clock)
    async with aiohttp.ClientSession(middlewares=[middleware]) as session:
        assert await get(session, server.url) == 429
        wall_clock.now += PROBE_INTERVAL
        with pytest.raises(aiohttp.ClientError):
            await get(session, server.url)
        with pytest.raises(DailyBudgetExhaustedError):
            await get(session, server.url)


# ---- the reserve


def left(tokens: int) -> bytes:
    return answer(headers={"X-Daily-RateLimit-Token-Remaining": str(tokens)})


def flow(server: RawServer) -> str:
    return f"{server.url}/persons/1101/flow"


async def test_the_reserve_is_kept_and_told_of_once(serve: Serve) -> None:
    stops = Stops()
    server = await serve(left(1080), left(1040), left(1000))
    middleware = RateLimitMiddleware(reserve_tokens=1000, wall_clock=NOON.timestamp, observer=stops)
    async with aiohttp.ClientSession(middlewares=[middleware]) as session:
        for _ in range(3):
            assert await get(session, flow(server)) == 200
        for _ in range(2):
            with pytest.raises(DailyBudgetExhaustedError, match="reserve_tokens keeps 1,000"):
                await get(session, flow(server))
    assert len(server.requests) == 3
    assert stops.heard == [SendingStopped(reason="token_reserve", seconds=12 * HOUR)]


async def test_requests_that_wait_hear_that_only_the_reserve_is_left(serve: Serve) -> None:
    server = await serve(left(1039))
    limiter = BurstLimiter(limit=1, window=0.05)
    middleware = RateLimitMiddleware(limiter, reserve_tokens=1000)
    async with aiohttp.ClientSession(middlewares=[middleware]) as session:
        outcomes = await asyncio.gather(
            *(get(session, flow(server)) for _ in range(5)), return_exceptions=True
        )
    assert outcomes.count(200) == 1
    assert [type(each) for each in outcomes if each != 200] == [DailyBudgetExhaustedError] * 4
    assert repr(limiter).endswith("0 waiting>")


async def test_a_session_without_a_reserve_is_not_stopped_by_anothers(serve: Serve) -> None:
    server = await serve(left(1000))
    limiter = BurstLimiter()
    careful = RateLimitMiddleware(limiter, reserve_tokens=1000)
    async with (
        aiohttp.ClientSession(middlewares=[careful]) as session,
        aiohttp.ClientSession(middlewares=[RateLimitMiddleware(limiter)]) as other,
    ):
        assert await get(session, flow(server)) == 200
        with pytest.raises(DailyBudgetExhaustedError):
            await get(session, flow(server))
        assert await get(other, flow(server)) == 200


# ---- what is told


async def test_a_wait_is_told_and_the_lack_of_one_is_not(serve: Serve) -> None:
    server = await serve(answer())
    waits = Waits()
    middleware = RateLimitMiddleware(BurstLimiter(limit=1, window=0.05), observer=waits)
    async with aiohttp.ClientSession(middlewares=[middleware]) as session:
        await get(session, server.url)
        assert waits.heard == []
        await get(session, server.url)
    (event,) = waits.heard
    assert 0.01 < event.seconds < 5
    assert str(event.request) == "GET /v1"


async def test_an_observer_that_raises_keeps_no_slot(serve: Serve) -> None:
    class Raising(Observer):
        def limit_waited(self, event: LimitWaited) -> None:
            raise ValueError("not shielded by Observers")

    server = await serve(answer())
    ticks = iter([0.0, 5.0])
    limiter = NotedLimiter()
    middleware = RateLimitMiddleware(limiter, clock=lambda: next(ticks), observer=Raising())
    async with aiohttp.ClientSession(middlewares=[middleware]) as session:
        with pytest.raises(ValueError, match="not shielded"):
            await get(session, server.url)
    assert limiter.calls == ["acquire", "cancel"]


async def test_what_the_answers_told_is_kept_field_by_field(serve: Serve) -> None:
    server = await serve(
        answer(headers={"X-RateLimit-Limit": "40", "X-RateLimit-Remaining": "39"}), left(960)
    )
    middleware = RateLimitMiddleware()
    async with aiohttp.ClientSession(middlewares=[middleware]) as session:
        await get(session, server.url)
        await get(session, server.url)
    assert middleware.rate_limit == RateLimit(limit=40, remaining=39, daily_remaining=960)


async def test_a_cancelled_request_counts_as_one_that_may_still_arrive(serve: Serve) -> None:
    server = await serve(then(b"", stall))
    limiter = NotedLimiter()
    async with aiohttp.ClientSession(middlewares=[RateLimitMiddleware(limiter)]) as session:
        task = asyncio.create_task(get(session, server.url))
        await server.arrived.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert limiter.calls == ["acquire", ("release", None)]
