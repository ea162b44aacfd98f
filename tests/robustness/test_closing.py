"""A session that is closed, or whose loop is gone, says so at once and leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any

import pytest

from pipeflow import BurstLimiter, PipedriveSession, PipeflowError, RetryPolicy
from pipeflow.testing import FakePipedrive, Outage, Stall, Status
from tests.robustness.premises import (
    LONG,
    PAGE,
    PERSONS,
    RECORDS,
    connections_in_use,
    histories,
    on_every_loop,
    tasks_left,
)
from tests.session.conftest import note_id, note_ids, session_at

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine

    from pipeflow import FlowUpdate
    from pipeflow.testing import Fault

PATIENT = RetryPolicy(base_delay=LONG, max_delay=LONG)
SOON = 2.0
"""Seconds: no walk of a closed session lasts longer."""


async def ended_by_closing(pipedrive: PipedriveSession, walk: asyncio.Task[Any]) -> BaseException:
    async with asyncio.timeout(SOON):
        await pipedrive.close()
        await asyncio.wait([walk])
    assert tasks_left() == [], tasks_left()
    assert connections_in_use(pipedrive) == 0
    error = walk.exception()
    assert error is not None
    return error


@pytest.mark.parametrize("prefetch", [0, 3])
@pytest.mark.parametrize("fault", [Stall(), Stall(after=50), Status(503), Outage(0.05)], ids=repr)
@on_every_loop
async def test_closing_the_session_ends_a_running_walk(fault: Fault, prefetch: int) -> None:
    async with FakePipedrive(persons=histories(), announces_limits=False) as fake:
        met = asyncio.Event()

        def fail_the_second(request: object) -> Fault | None:
            if fake.request_count == 1:
                return None
            met.set()
            return fault

        fake.on_request = fail_the_second
        pipedrive = session_at(fake, retry=PATIENT)
        updates = pipedrive.iter_person_flow(1, page_size=PAGE, prefetch=prefetch)
        seen: list[int | None] = []

        async def read() -> None:
            async for update in updates:
                seen.append(note_id(update))

        walk = asyncio.create_task(read())
        await met.wait()
        await asyncio.sleep(0.02)  # the answer, or its absence, has come to the client
        error = await ended_by_closing(pipedrive, walk)
        assert isinstance(error, PipeflowError | RuntimeError)
        assert "closed" in str(error)
        assert seen == list(range(PAGE))


@on_every_loop
async def test_closing_the_session_ends_a_wait_for_the_limit() -> None:
    async with FakePipedrive(persons=histories(), announces_limits=False) as fake:
        limiter = BurstLimiter(1, LONG)
        pipedrive = session_at(fake, limiter=limiter)
        await pipedrive.get_person_flow(1)
        walk = asyncio.create_task(note_ids(pipedrive.iter_person_flow(1)))
        await asyncio.sleep(0)
        assert repr(limiter).endswith(" 1 waiting>")
        error = await ended_by_closing(pipedrive, walk)
        assert isinstance(error, PipeflowError | RuntimeError)
        assert "closed" in str(error)
        assert repr(limiter).endswith(" 0 waiting>")


@on_every_loop
async def test_closing_the_session_ends_many_walks() -> None:
    async with FakePipedrive(persons=histories(), announces_limits=False) as fake:
        fake.on_request = lambda request: Stall()
        pipedrive = session_at(fake, retry=PATIENT)

        async def read() -> list[object]:
            return [update async for update in pipedrive.iter_person_flows(PERSONS)]

        walk = asyncio.create_task(read())
        while fake.request_count < len(PERSONS):
            await asyncio.sleep(0)
        error = await ended_by_closing(pipedrive, walk)
        assert isinstance(error, ExceptionGroup | RuntimeError)


@pytest.mark.parametrize("prefetch", [0, 3])
@on_every_loop
async def test_closing_the_session_between_two_pages_ends_the_walk(prefetch: int) -> None:
    async with FakePipedrive(persons=histories()) as fake:
        pipedrive = session_at(fake)
        updates = pipedrive.iter_person_flow(1, page_size=PAGE, prefetch=prefetch)
        await anext(updates)
        await pipedrive.close()
        with pytest.raises((RuntimeError, PipeflowError), match="closed"):
            await note_ids(updates)
        assert tasks_left() == []


# ---- loops


async def first_of(updates: AsyncGenerator[FlowUpdate, None]) -> None:
    await anext(updates)


def test_a_second_run_is_told_to_make_its_own_session() -> None:
    sessions: list[PipedriveSession] = []

    async def first_run() -> None:
        async with FakePipedrive(persons=histories()) as fake:
            sessions.append(session_at(fake))
            await sessions[0].get_person_flow(1)

    async def second_run() -> None:
        with pytest.raises(RuntimeError, match="belongs to another event loop"):
            await sessions[0].get_person_flow(1)
        await sessions[0].close()

    asyncio.run(first_run())
    asyncio.run(second_run())
    gc.collect()


def test_a_session_that_sent_nothing_works_in_a_second_run() -> None:
    async def use(pipedrive: PipedriveSession) -> None:
        async with pipedrive:
            with pytest.raises(PipeflowError):
                await pipedrive.get_person_flow(1)

    async def never_asked(pipedrive: PipedriveSession) -> None:
        updates = pipedrive.iter_person_flow(1)
        await updates.aclose()

    pipedrive = PipedriveSession(
        "made-up", base_url="http://127.0.0.1:9/v1", retry=RetryPolicy(attempts=1)
    )
    asyncio.run(never_asked(pipedrive))
    asyncio.run(use(pipedrive))
    gc.collect()


def test_one_limiter_serves_one_run_after_the_other() -> None:
    limiter = BurstLimiter(2, 0.1)

    async def run() -> int:
        async with (
            FakePipedrive(persons=histories(), announces_limits=False) as fake,
            session_at(fake, limiter=limiter) as pipedrive,
        ):
            seen = await note_ids(pipedrive.iter_person_flow(1, page_size=PAGE))
            assert repr(limiter).endswith(" 0 waiting>")
            return len(seen)

    assert [asyncio.run(run()), asyncio.run(run())] == [RECORDS, RECORDS]


def test_a_place_in_the_queue_is_lost_with_its_loop() -> None:
    limiter = BurstLimiter(1, 0.2)

    async def leave_one_waiting() -> None:
        async with (
            FakePipedrive(persons=histories(), announces_limits=False) as fake,
            session_at(fake, limiter=limiter) as pipedrive,
        ):
            await pipedrive.get_person_flow(1)
            waiting = asyncio.create_task(pipedrive.get_person_flow(1))
            await asyncio.sleep(0)
            assert repr(limiter).endswith(" 1 waiting>")
            assert not waiting.done()

    asyncio.run(leave_one_waiting())  # which cancels what still runs
    assert repr(limiter).endswith(" 0 waiting>")


@pytest.mark.parametrize("prefetch", [0, 3])
def test_a_run_that_ends_with_a_walk_under_way_ends_it(prefetch: int) -> None:
    held: list[Any] = []

    async def main() -> None:
        async with FakePipedrive(persons=histories()) as fake, session_at(fake) as pipedrive:
            updates = pipedrive.iter_person_flow(1, page_size=PAGE, prefetch=prefetch)
            held.append(updates)
            await anext(updates)

    asyncio.run(main())
    with pytest.raises(StopAsyncIteration):
        asyncio.run(first_of(held[0]))
    gc.collect()


@pytest.mark.parametrize("prefetch", [0, 3])
def test_a_loop_that_is_closed_under_a_walk_takes_nothing_down(prefetch: int) -> None:
    def lose_the_loop(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        loop = asyncio.new_event_loop()
        loop.run_until_complete(main())
        loop.close()

    held: list[Any] = []

    async def main() -> None:
        async with FakePipedrive(persons=histories()) as fake:
            pipedrive = session_at(fake)
            updates = pipedrive.iter_person_flow(1, page_size=2, prefetch=prefetch)
            await anext(updates)
            held.extend([updates, pipedrive])
            await asyncio.sleep(0.02)

    lose_the_loop(main)

    async def later() -> None:
        with pytest.raises(RuntimeError, match="loop"):
            await note_ids(held[0])
        await held[1].close()

    asyncio.run(later())
    held.clear()
    gc.collect()
