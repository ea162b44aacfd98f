"""The limiter under tasks that come, are cancelled, fail and answer at any time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest
from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeflow.answers import RateLimit
from pipeflow.errors import ApiError
from pipeflow.limiting import BurstLimiter
from pipeflow.limiting.blocks import PROBE_INTERVAL
from pipeflow.limiting.queue import LONGEST_TRAVEL
from tests.limiting import virtual_time

if TYPE_CHECKING:
    from pipeflow.limiting import BlockReason

WINDOW = 2.0
RESOLUTION = 1e-6


@define
class Journey:
    """What becomes of one request."""

    arrives: float
    takes: float
    answered: bool
    cancelled_after: float | None


journeys = st.builds(
    Journey,
    arrives=st.floats(0.0, 10.0),
    takes=st.just(0.0) | st.floats(0.0, LONGEST_TRAVEL),
    answered=st.booleans(),
    cancelled_after=st.none() | st.just(0.0) | st.floats(0.0, 10.0),
)


@define
class Run:
    """Requests at one limiter, and the server's view of them."""

    limit: int
    limiter: BurstLimiter = field(init=False)
    asked: list[int] = field(factory=list)
    granted: dict[int, int] = field(factory=dict)  # by how many slots were granted before
    counted: list[float] = field(factory=list)
    refused: int = 0

    async def go(self, all_of_them: list[Journey], blocks: list[tuple[float, BlockReason]]) -> None:
        loop = asyncio.get_running_loop()
        self.limiter = BurstLimiter(self.limit, WINDOW, clock=loop.time, wall_clock=loop.time)
        for at, reason in blocks:
            loop.call_later(at, self.limiter.block, 1.0, reason)
        tasks = []
        for number, journey in enumerate(all_of_them):
            task = asyncio.create_task(self.request(number, journey))
            if journey.cancelled_after is not None:
                loop.call_later(journey.arrives + journey.cancelled_after, task.cancel)
            tasks.append(task)
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(each, asyncio.CancelledError | ApiError | None) for each in outcomes)
        self.refused = sum(isinstance(each, ApiError) for each in outcomes)
        assert repr(self.limiter).endswith(" 0 waiting>")
        # After a rest everything is there again.
        await asyncio.sleep(PROBE_INTERVAL)
        slots = [await self.limiter.acquire() for _ in range(self.limit)]
        for slot in slots:
            slot.cancel()

    async def request(self, number: int, journey: Journey) -> None:
        await asyncio.sleep(journey.arrives)
        self.asked.append(number)
        slot = await self.limiter.acquire()
        self.granted[cast("Any", slot).reservation.number] = number
        now = asyncio.get_running_loop().time()
        self.counted = [at for at in self.counted if at > now - WINDOW + RESOLUTION]
        self.counted.append(now)
        assert len(self.counted) <= self.limit
        answer = None
        try:
            await asyncio.sleep(journey.takes)
            answer = RateLimit() if journey.answered else None
        finally:
            slot.release(answer)


@given(
    limit=st.integers(1, 6),
    all_of_them=st.lists(journeys, max_size=30),
    blocks=st.lists(
        st.tuples(
            st.floats(0.0, 10.0), st.sampled_from(["cloudflare", "daily_budget", "long_wait"])
        ),
        max_size=2,
    ),
    debug=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_no_window_holds_more_than_the_limit_and_nobody_is_forgotten(
    limit: int,
    all_of_them: list[Journey],
    blocks: list[tuple[float, BlockReason]],
    debug: bool,  # noqa: FBT001 - hypothesis' way
) -> None:
    run = Run(limit)
    virtual_time.run(run.go(all_of_them, blocks), debug=debug)
    granted = [number for _, number in sorted(run.granted.items())]
    assert granted == [number for number in run.asked if number in granted]
    if not blocks:
        assert run.refused == 0


@pytest.mark.parametrize("turns", range(8))
@pytest.mark.parametrize("debug", [False, True])
def test_cancelled_at_any_turn_of_its_wait_it_gives_everything_back(
    turns: int,
    debug: bool,  # noqa: FBT001 - pytest's way
) -> None:
    async def cancel_one() -> None:
        loop = asyncio.get_running_loop()
        limiter = BurstLimiter(1, WINDOW, clock=loop.time, wall_clock=loop.time)
        (await limiter.acquire()).release(RateLimit())
        waiting = asyncio.create_task(limiter.acquire())
        loop.call_later(WINDOW, asyncio.ensure_future, cancel_after(waiting))
        await asyncio.wait([waiting])
        if not waiting.cancelled():
            waiting.result().cancel()
        begun = loop.time()
        await limiter.acquire()
        assert loop.time() - begun <= RESOLUTION

    async def cancel_after(waiting: asyncio.Task[object]) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        waiting.cancel()

    virtual_time.run(cancel_one(), debug=debug)
