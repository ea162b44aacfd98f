"""The waiting: one loop after another, cancellation, blocks, threads."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from pipeflow.answers import RateLimit
from pipeflow.errors import BlockedError, DailyBudgetExhaustedError, RateLimitError
from pipeflow.limiting import BurstLimiter
from pipeflow.limiting.blocks import PROBE_INTERVAL

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from pipeflow.limiting import BlockReason, Limiter, Slot

ANSWERED = RateLimit()
HOUR = 3600.0


class Clock:
    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


async def turn() -> None:
    """Lets every task go on until it waits."""
    for _ in range(5):
        await asyncio.sleep(0)


async def waiters(limiter: Limiter, count: int) -> list[asyncio.Task[Slot]]:
    tasks = [asyncio.create_task(limiter.acquire()) for _ in range(count)]
    await turn()
    return tasks


@pytest.mark.parametrize(
    ("limit", "window", "named"),
    [(0, 2.0, "limit"), (1, 0.0, "window"), (1, float("nan"), "window")],
)
def test_values_out_of_bounds_are_named(limit: int, window: float, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        BurstLimiter(limit, window)


def test_the_smallest_plan_is_assumed() -> None:
    assert (BurstLimiter().limit, BurstLimiter().window) == (20, 2.0)


async def test_it_shows_its_state() -> None:
    limiter = BurstLimiter(limit=2, window=60.0)
    tasks = await waiters(limiter, 3)
    assert repr(limiter) == "<BurstLimiter 2 per 60 s, 1 waiting>"
    tasks[-1].cancel()


async def test_a_free_slot_is_there_without_waiting() -> None:
    acquiring = BurstLimiter().acquire()
    with pytest.raises(StopIteration):
        acquiring.send(None)


async def test_slots_come_in_the_order_of_arrival() -> None:
    limiter = BurstLimiter(limit=1, window=0.02)
    order: list[int] = []

    async def acquire(number: int) -> None:
        (await limiter.acquire()).release(ANSWERED)
        order.append(number)

    begun = time.monotonic()
    await asyncio.gather(*(acquire(number) for number in range(5)))
    assert order == [0, 1, 2, 3, 4]
    assert time.monotonic() - begun >= 4 * 0.02


async def test_it_learns_the_limit_from_an_answer() -> None:
    limiter = BurstLimiter(limit=1, window=60.0)
    first = await limiter.acquire()
    tasks = await waiters(limiter, 20)
    assert not any(task.done() for task in tasks)
    first.release(RateLimit(limit=100, remaining=99))
    async with asyncio.timeout(10):
        await asyncio.gather(*tasks)
    assert limiter.limit == 100


async def test_a_slot_that_is_given_back_is_the_next_ones() -> None:
    limiter = BurstLimiter(limit=1, window=60.0)
    first = await limiter.acquire()
    (waiting,) = await waiters(limiter, 1)
    first.cancel()
    async with asyncio.timeout(10):
        await waiting


async def test_a_cancelled_waiter_gives_its_place_back() -> None:
    limiter = BurstLimiter(limit=1, window=60.0)
    first = await limiter.acquire()
    impatient, patient = await waiters(limiter, 2)
    impatient.cancel()
    await turn()
    assert repr(limiter).endswith("1 waiting>")
    first.cancel()
    async with asyncio.timeout(10):
        await patient


async def test_a_waiter_cancelled_in_the_turn_of_its_grant_gives_its_slot_back() -> None:
    limiter = BurstLimiter(limit=1, window=60.0)
    first = await limiter.acquire()
    impatient, patient = await waiters(limiter, 2)
    first.cancel()  # grants the slot to the impatient one, which has not heard of it yet
    impatient.cancel()
    async with asyncio.timeout(10):
        await patient
    assert impatient.cancelled()


async def test_a_pause_holds_for_those_who_come() -> None:
    clock = Clock()
    limiter = BurstLimiter(clock=clock)
    limiter.pause(None)
    (waiting,) = await waiters(limiter, 1)
    assert not waiting.done()
    waiting.cancel()
    clock.now += 2.0
    await limiter.acquire()


# ---- blocks


@pytest.mark.parametrize(
    ("reason", "kind"), [("cloudflare", BlockedError), ("long_wait", RateLimitError)]
)
async def test_a_block_refuses_those_who_come_and_those_who_wait(
    reason: BlockReason, kind: type[BlockedError | RateLimitError]
) -> None:
    clock = Clock()
    limiter = BurstLimiter(limit=1, window=60.0, clock=clock)
    await limiter.acquire()
    waiting = await waiters(limiter, 3)
    limiter.block(300.0, reason)
    refused = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(error) for error in refused] == [kind] * 3
    assert repr(limiter).endswith("0 waiting>")
    clock.now += 100.0
    with pytest.raises(kind) as caught:
        await limiter.acquire()
    assert type(caught.value) is kind
    assert caught.value.retry_after == 200.0
    clock.now += 200.0
    await limiter.acquire()


async def test_a_spent_budget_refuses_those_who_come_and_those_who_wait() -> None:
    clock, wall_clock = Clock(), Clock(5.0)
    limiter = BurstLimiter(limit=1, window=60.0, clock=clock, wall_clock=wall_clock)
    await limiter.acquire()
    waiting = await waiters(limiter, 3)
    limiter.block(600.0, "daily_budget")
    refused = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(error) for error in refused] == [DailyBudgetExhaustedError] * 3
    clock.now += 10 * HOUR  # the time of day ends it, not how long this computer was awake
    wall_clock.now += 100.0
    with pytest.raises(DailyBudgetExhaustedError) as caught:
        await limiter.acquire()
    assert caught.value.retry_after == 500.0
    wall_clock.now += 500.0
    await limiter.acquire()


async def test_a_block_by_cloudflare_comes_before_the_other_reasons() -> None:
    limiter = BurstLimiter()
    for reason in ("daily_budget", "long_wait", "cloudflare"):
        limiter.block(HOUR, reason)
    with pytest.raises(BlockedError):
        await limiter.acquire()


async def spent(wall_clock: Clock) -> BurstLimiter:
    limiter = BurstLimiter(wall_clock=wall_clock)
    limiter.block(8 * HOUR, "daily_budget")
    with pytest.raises(DailyBudgetExhaustedError):
        await limiter.acquire()
    wall_clock.now += PROBE_INTERVAL
    return limiter


async def test_now_and_then_one_request_asks_and_its_answer_lifts_the_block() -> None:
    limiter = await spent(Clock())
    probe = await limiter.acquire()
    with pytest.raises(DailyBudgetExhaustedError):
        await limiter.acquire()
    probe.release(ANSWERED)
    await limiter.acquire()


async def test_a_refused_probe_renews_the_block() -> None:
    limiter = await spent(Clock())
    probe = await limiter.acquire()
    limiter.block(7 * HOUR, "daily_budget")
    probe.release(ANSWERED)
    with pytest.raises(DailyBudgetExhaustedError) as caught:
        await limiter.acquire()
    assert caught.value.retry_after == 7 * HOUR


async def test_a_probe_without_an_answer_lifts_nothing() -> None:
    clock = Clock()
    limiter = await spent(clock)
    (await limiter.acquire()).release(None)
    with pytest.raises(DailyBudgetExhaustedError):
        await limiter.acquire()
    clock.now += PROBE_INTERVAL
    await limiter.acquire()


async def test_a_probe_that_is_not_sent_is_the_next_ones() -> None:
    limiter = await spent(Clock())
    (await limiter.acquire()).cancel()
    (await limiter.acquire()).release(ANSWERED)
    await limiter.acquire()


async def test_a_probe_waits_its_turn_and_hears_of_a_block() -> None:
    wall_clock = Clock()
    limiter = await spent(wall_clock)
    limiter.pause(60.0)
    (probe,) = await waiters(limiter, 1)
    assert not probe.done()
    limiter.block(300.0, "cloudflare")
    with pytest.raises(BlockedError):
        await probe
    # It was not sent, so the next one asks.
    assert limiter._daily.take_probe(wall_clock.now) is not None


async def test_a_probe_in_the_queue_is_not_refused_by_the_block_it_asks_about() -> None:
    clock, wall_clock = Clock(), Clock()
    limiter = BurstLimiter(clock=clock, wall_clock=wall_clock)
    limiter.block(8 * HOUR, "daily_budget")
    wall_clock.now += PROBE_INTERVAL
    limiter.pause(0.01)
    (probe,) = await waiters(limiter, 1)
    assert not probe.done()
    clock.now += 1.0
    async with asyncio.timeout(10):
        await probe


# ---- loops and threads


def test_it_works_in_one_event_loop_after_another() -> None:
    limiter = BurstLimiter(limit=1, window=0.01)

    async def acquire_two() -> None:
        for _ in range(2):  # pragma: no branch - CPython 3.11 loses the trace here
            (await limiter.acquire()).release(ANSWERED)

    for _ in range(2):
        asyncio.run(acquire_two())


def test_a_waiter_of_a_dead_loop_disturbs_nobody() -> None:
    limiter = BurstLimiter(limit=1, window=0.01)
    abandoned: list[Coroutine[object, None, Slot]] = []

    async def wait_and_vanish() -> None:
        await limiter.acquire()
        waiting = limiter.acquire()
        waiting.send(None)
        abandoned.append(waiting)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(wait_and_vanish())
    loop.close()

    async def live_on() -> None:
        await limiter.acquire()
        abandoned[0].close()  # pragma: no cover - CPython 3.11 loses the trace here

    asyncio.run(live_on())


def test_used_in_two_threads_it_says_so() -> None:
    limiter = BurstLimiter(limit=1, window=60.0)
    acquired, done = threading.Event(), threading.Event()

    async def acquire() -> None:
        await limiter.acquire()
        acquired.set()
        await asyncio.to_thread(done.wait, 30)

    with ThreadPoolExecutor() as pool:
        other = pool.submit(asyncio.run, acquire())
        acquired.wait(30)
        with pytest.raises(RuntimeError, match="event loop of another thread"):
            asyncio.run(acquire())
        done.set()
        other.result(30)


def test_threads_may_use_it_one_after_the_other() -> None:
    limiter = BurstLimiter()

    async def acquire() -> None:
        (await limiter.acquire()).release(ANSWERED)

    for _ in range(2):
        with ThreadPoolExecutor() as pool:
            pool.submit(asyncio.run, acquire()).result(30)
    asyncio.run(acquire())
