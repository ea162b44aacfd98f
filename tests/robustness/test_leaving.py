"""A loop that is left by any way out leaves nothing behind, and its session works on."""

from __future__ import annotations

import asyncio
import gc
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

import pytest

from pipeflow.testing import FakePipedrive
from tests.robustness.premises import (
    PAGE,
    PERSONS,
    RECORDS,
    histories,
    on_every_loop,
    tasks_left,
    until_no_task_is_left,
    watched_session,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from typing import TypeAlias

    from pipeflow import PipedriveSession

    Walk: TypeAlias = Callable[[PipedriveSession], AsyncGenerator[Any, None]]


def alone(pipedrive: PipedriveSession) -> AsyncGenerator[Any, None]:
    return pipedrive.iter_person_flow(1, page_size=PAGE)


def ahead(pipedrive: PipedriveSession) -> AsyncGenerator[Any, None]:
    return pipedrive.iter_person_flow(1, page_size=PAGE, prefetch=3)


def pages(pipedrive: PipedriveSession) -> AsyncGenerator[Any, None]:
    return pipedrive.iter_person_flow_pages(1, page_size=1, prefetch=2)


def many(pipedrive: PipedriveSession) -> AsyncGenerator[Any, None]:
    return pipedrive.iter_person_flows(PERSONS, concurrency=2, page_size=PAGE, prefetch=1)


LENGTHS: dict[Walk, int] = {
    alone: RECORDS,
    ahead: RECORDS,
    pages: RECORDS,
    many: RECORDS * len(PERSONS),
}
WALKS = pytest.mark.parametrize("walk", list(LENGTHS))


class BodyError(Exception):
    """What the body of a loop raises."""


def quiet_fake() -> FakePipedrive:
    return FakePipedrive(persons=histories(), announces_limits=False, burst_limit=10**6)


@WALKS
@on_every_loop
async def test_a_loop_can_be_left_at_every_record(walk: Walk) -> None:
    async with quiet_fake() as fake, watched_session(fake) as watched:
        for last in range(1, LENGTHS[walk] + 1):
            seen = 0
            async with aclosing(walk(watched.pipedrive)) as updates:
                async for _ in updates:
                    seen += 1
                    if seen == last:
                        break
            watched.assert_nothing_left()


@WALKS
@on_every_loop
async def test_an_error_in_the_body_of_a_loop_ends_the_walk(walk: Walk) -> None:
    async with quiet_fake() as fake, watched_session(fake) as watched:
        with pytest.raises(BodyError):
            async with aclosing(walk(watched.pipedrive)) as updates:
                async for _ in updates:  # pragma: no branch - the body raises
                    raise BodyError
        watched.assert_nothing_left()


@WALKS
@on_every_loop
async def test_a_loop_left_without_closing_its_walk_ends_with_the_garbage(walk: Walk) -> None:
    async with quiet_fake() as fake, watched_session(fake) as watched:
        with suppress(BodyError):
            async for _ in walk(watched.pipedrive):  # pragma: no branch - the body raises
                raise BodyError
        gc.collect()
        await until_no_task_is_left()
        watched.assert_nothing_left()


@WALKS
@on_every_loop
async def test_a_walk_nobody_goes_on_with_ends_with_the_garbage(walk: Walk) -> None:
    async with quiet_fake() as fake, watched_session(fake) as watched:
        updates = walk(watched.pipedrive)
        await anext(updates)
        del updates
        gc.collect()
        await until_no_task_is_left()
        watched.assert_nothing_left()


@WALKS
@on_every_loop
async def test_a_walk_that_never_began_costs_nothing(walk: Walk) -> None:
    async with quiet_fake() as fake, watched_session(fake) as watched:
        walk(watched.pipedrive)
        updates = walk(watched.pipedrive)
        await updates.aclose()
        gc.collect()
        watched.assert_nothing_left()
        assert fake.request_count == 0


@WALKS
@on_every_loop
async def test_a_walk_in_another_tasks_hands_can_be_closed_here(walk: Walk) -> None:
    async with quiet_fake() as fake, watched_session(fake) as watched:
        updates = walk(watched.pipedrive)
        first: asyncio.Task[Any] = asyncio.create_task(anext(updates))
        await first
        await updates.aclose()
        watched.assert_nothing_left()
        assert [update async for update in updates] == []


@on_every_loop
async def test_walks_side_by_side_leave_each_other_alone() -> None:
    async with quiet_fake() as fake, watched_session(fake) as watched:
        left, kept = ahead(watched.pipedrive), ahead(watched.pipedrive)
        await anext(left)
        await anext(kept)
        await left.aclose()
        assert len([update async for update in kept]) == RECORDS - 1
        assert tasks_left() == []
