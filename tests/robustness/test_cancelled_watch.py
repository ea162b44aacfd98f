"""A watch that is cancelled anywhere loses nothing, leaves nothing behind, and works on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from pipeflow.testing import FakePipedrive, NullBody, Stall
from tests.robustness.premises import (
    CancelledAtAwait,
    histories,
    on_every_loop,
    tasks_left,
    turns,
    watched_session,
)
from tests.session.conftest import note

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import TypeAlias

    from pipeflow.testing import Fault, SeenRequest
    from pipeflow.watching import FlowEvent, FlowWatch

    Scenario: TypeAlias = Callable[[FakePipedrive, FlowWatch, int], Coroutine[Any, Any, bool]]
    Cancel: TypeAlias = Callable[[Coroutine[Any, Any, Any], int], Coroutine[Any, Any, bool]]

PERSON = 2
FIRST = 1000


async def at_await(work: Coroutine[Any, Any, Any], count: int) -> bool:
    """Cancels at an await; whether it came to its end all the same."""
    task = asyncio.create_task(CancelledAtAwait(work, count).run())
    await asyncio.wait([task])
    return not task.cancelled()


async def twice(work: Coroutine[Any, Any, Any], count: int) -> bool:
    task = asyncio.create_task(CancelledAtAwait(work, count, times=2).run())
    await asyncio.wait([task])
    return not task.cancelled()


async def after_turns(work: Coroutine[Any, Any, Any], count: int) -> bool:
    task = asyncio.create_task(work)
    await turns(count - 1)
    task.cancel()
    await asyncio.wait([task])
    return not task.cancelled()


CANCELS = [at_await, twice, after_turns]


async def next_of(watch: FlowWatch, events: list[FlowEvent]) -> None:
    events.append(await anext(watch))


async def event_of(watch: FlowWatch, fake: FakePipedrive, number: int) -> FlowEvent:
    """The next event, of a note that is added once the watch knows its place."""
    waiting = asyncio.create_task(anext(watch))
    while watch.checkpoint is None:
        await asyncio.sleep(0)
    fake.add(note(number), person=PERSON)
    return await waiting


async def cancelled_everywhere(scenario: Scenario) -> None:
    count = 0
    ended = False
    async with FakePipedrive(
        persons=histories(), burst_limit=10**6, announces_limits=False
    ) as fake:
        while not ended:
            count += 1
            async with watched_session(fake) as watched, asyncio.timeout(20):
                watch = watched.pipedrive.watch_person_flow(PERSON, interval=0.001)
                ended = await scenario(fake, watch, count)
                await watch.aclose()
                watched.assert_nothing_left()
    assert count > 1


@pytest.mark.parametrize("cancel", CANCELS)
@on_every_loop
async def test_the_beginning_can_be_cancelled(cancel: Cancel) -> None:
    async def scenario(fake: FakePipedrive, watch: FlowWatch, count: int) -> bool:
        fake.script(NullBody())  # so that a wait between two tries is among what is cancelled
        if await cancel(watch.__aenter__(), count):
            return True
        event = await event_of(watch, fake, FIRST + count)
        assert (event.kind, event.update.id) == ("new", FIRST + count)
        return False

    await cancelled_everywhere(scenario)


@pytest.mark.parametrize("cancel", CANCELS)
@on_every_loop
async def test_the_wait_for_an_event_can_be_cancelled_and_loses_none(cancel: Cancel) -> None:
    async def scenario(fake: FakePipedrive, watch: FlowWatch, count: int) -> bool:
        await watch.__aenter__()
        for number in (2 * count, 2 * count + 1):
            fake.add(note(FIRST + number), person=PERSON)
        events: list[FlowEvent] = []
        ended = await cancel(next_of(watch, events), count)
        while len(events) < 2:
            await next_of(watch, events)
        assert {event.update.id for event in events} == {
            FIRST + 2 * count,
            FIRST + 2 * count + 1,
        }
        return ended

    await cancelled_everywhere(scenario)


@pytest.mark.parametrize("cancel", CANCELS)
@on_every_loop
async def test_the_end_can_be_cancelled_and_comes_all_the_same(cancel: Cancel) -> None:
    async def scenario(fake: FakePipedrive, watch: FlowWatch, count: int) -> bool:
        await watch.__aenter__()
        under_way = asyncio.Event()

        def stall(_: SeenRequest) -> Fault:
            under_way.set()
            return Stall()

        fake.on_request = stall
        waiting = asyncio.ensure_future(anext(watch, None))
        await under_way.wait()
        ended = await cancel(watch.aclose(), count)
        await watch.aclose()
        assert await waiting is None
        assert tasks_left() == []
        return ended

    await cancelled_everywhere(scenario)
