"""A walk that is cancelled anywhere leaves nothing behind, and its session works on."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from pipeflow import BurstLimiter, RetryPolicy
from pipeflow.testing import FakePipedrive, NullBody, Stall, Status
from tests.robustness.premises import (
    LONG,
    PAGE,
    PERSONS,
    CancelledAtAwait,
    histories,
    on_every_loop,
    tasks_left,
    turns,
    watched_session,
)
from tests.session.conftest import note_id, note_ids, session_at

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any, TypeAlias

    from pipeflow import PipedriveSession
    from pipeflow.testing import Fault

    Walk: TypeAlias = Callable[[PipedriveSession], Coroutine[Any, Any, int]]


async def walk_alone(pipedrive: PipedriveSession) -> int:
    return len(await note_ids(pipedrive.iter_person_flow(1, page_size=PAGE)))


async def walk_ahead(pipedrive: PipedriveSession) -> int:
    return len(await note_ids(pipedrive.iter_person_flow(1, page_size=PAGE, prefetch=3)))


async def walk_many(pipedrive: PipedriveSession) -> int:
    walk = pipedrive.iter_person_flows(PERSONS, concurrency=2, page_size=PAGE, prefetch=1)
    return len([update async for update in walk])


async def get_one_page(pipedrive: PipedriveSession) -> int:
    return len((await pipedrive.get_person_flow(1)).updates)


WALKS = [walk_alone, walk_ahead, walk_many, get_one_page]


async def cancelled_everywhere(walk: Walk, cancel: Callable[[Any, int], Awaitable[bool]]) -> int:
    """Walks again and again, cancelled later each time, until a walk comes to its end.

    Every first answer is null, so that a wait between two tries is among what is cancelled.
    """
    count = 0
    ended = False
    async with FakePipedrive(
        persons=histories(), burst_limit=10**6, announces_limits=False
    ) as fake:
        while not ended:
            count += 1
            fake.script(NullBody())
            async with watched_session(fake) as watched:
                ended = await cancel(walk(watched.pipedrive), count)
                watched.assert_nothing_left()
    return count


async def cancel_at_await(walk: Coroutine[Any, Any, int], count: int) -> bool:
    cancelled = CancelledAtAwait(walk, count)
    task = asyncio.create_task(cancelled.run())
    await asyncio.wait([task])
    assert task.cancelled() == (cancelled.awaits >= count)
    return not task.cancelled()


async def cancel_twice(walk: Coroutine[Any, Any, int], count: int) -> bool:
    cancelled = CancelledAtAwait(walk, count, times=2)
    task = asyncio.create_task(cancelled.run())
    await asyncio.wait([task])
    return not task.cancelled()


async def cancel_after_turns(walk: Coroutine[Any, Any, int], count: int) -> bool:
    task = asyncio.create_task(walk)
    await turns(count - 1)
    was_running = task.cancel()
    await asyncio.wait([task])
    assert task.cancelled() == was_running
    return not task.cancelled()


@pytest.mark.parametrize("walk", WALKS)
@on_every_loop
async def test_a_walk_can_be_cancelled_at_every_await(walk: Walk) -> None:
    assert await cancelled_everywhere(walk, cancel_at_await) > 4


@pytest.mark.parametrize("walk", WALKS)
@on_every_loop
async def test_a_walk_can_be_cancelled_while_it_is_ending(walk: Walk) -> None:
    assert await cancelled_everywhere(walk, cancel_twice) > 4


@pytest.mark.parametrize("walk", WALKS)
@on_every_loop
async def test_a_walk_can_be_cancelled_at_every_turn_of_the_loop(walk: Walk) -> None:
    assert await cancelled_everywhere(walk, cancel_after_turns) > 4


@on_every_loop
async def test_one_of_many_waiting_for_the_limit_can_be_cancelled() -> None:
    async with FakePipedrive(persons=histories(), announces_limits=False) as fake:
        limiter = BurstLimiter(limit=1, window=0.2)
        async with session_at(fake, limiter=limiter) as pipedrive:
            walks = [asyncio.create_task(get_one_page(pipedrive)) for _ in range(4)]
            await turns(3)
            assert repr(limiter).endswith(" 3 waiting>")
            walks[1].cancel()
            walks[2].cancel()
            await asyncio.wait(walks)
            assert [walk.cancelled() for walk in walks] == [False, True, True, False]
            assert repr(limiter).endswith(" 0 waiting>")
            assert tasks_left() == []


@pytest.mark.parametrize("prefetch", [0, 3])
@pytest.mark.parametrize("fault", [Stall(), Stall(after=50), Status(503)], ids=repr)
@on_every_loop
async def test_a_timeout_around_the_loop_ends_it_in_time(fault: Fault, prefetch: int) -> None:
    patient = RetryPolicy(base_delay=LONG, max_delay=LONG)
    async with FakePipedrive(persons=histories(), announces_limits=False) as fake:
        fake.on_request = lambda request: None if request.query["start"] == "0" else fault
        async with watched_session(fake, retry=patient) as watched:
            seen: list[int | None] = []
            walk = watched.pipedrive.iter_person_flow(1, page_size=PAGE, prefetch=prefetch)
            with pytest.raises(TimeoutError) as caught:
                async with asyncio.timeout(0.05), aclosing(walk) as updates:
                    async for update in updates:
                        seen.append(note_id(update))
            assert type(caught.value) is TimeoutError
            assert seen == list(range(PAGE))
            watched.assert_nothing_left()
