from __future__ import annotations

import asyncio
import itertools
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

import pytest

from pipeflow.errors import BlockedError, FlowsFailed, InvalidIdError, TransportError
from tests.walking.people import People, collected, fails, others, turns, walks

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator

    from pipeflow.owners import Owner
    from pipeflow.records import FlowPage
    from pipeflow.walking.plan import WalkPlan


async def as_they_come(ids: range) -> AsyncIterator[int]:
    for person_id in ids:
        await asyncio.sleep(0)
        yield person_id


@pytest.mark.parametrize("concurrency", [1, 3, 8, 100])
@pytest.mark.parametrize("ids", [list, iter, as_they_come])
async def test_each_persons_updates_come_in_order_and_all_of_them(
    concurrency: int, ids: Callable[[range], Any]
) -> None:
    people = People()
    offsets = await collected(walks(ids(range(1, 31)), people, concurrency=concurrency))
    assert offsets == {person_id: list(range(6)) for person_id in range(1, 31)}
    assert people.most_under_way <= concurrency
    assert others() == set()


async def test_nobody_is_nothing() -> None:
    assert await collected(walks([], People())) == {}


async def test_a_slow_consumer_holds_at_most_two_pages_per_walk() -> None:
    people = People(pages=100)
    consumed = 0
    async with aclosing(walks(range(1, 50), people, concurrency=4)) as updates:
        async for _ in updates:
            consumed += 1
            await turns(30)
            assert people.pages_served <= consumed / 2 + 2 * 4 + 1
            if consumed == 40:
                break


async def test_persons_of_one_page_wait_for_the_consumer_too() -> None:
    people = People(pages=1)
    async with aclosing(walks(range(1, 50), people, concurrency=4)) as updates:
        await anext(updates)
        await turns(100)
        assert people.pages_served == 2 * 4 + 1


async def test_an_endless_stream_of_ids_is_taken_one_by_one() -> None:
    taken = 0

    def endless() -> Iterator[int]:
        nonlocal taken
        while True:
            taken += 1
            yield taken

    seen = 0
    async with aclosing(walks(endless(), People(pages=1), concurrency=4)) as updates:
        async for _ in updates:
            seen += 1
            assert taken <= seen + 2 * 4 + 1
            if seen == 500:
                break
    assert others() == set()


# ---- ids


async def test_an_id_that_comes_again_is_walked_once() -> None:
    people = People()
    done: list[int] = []
    ids = [1, 2, 1, *[2] * 10_000, (1, 4), 3]
    offsets = await collected(walks(ids, people, concurrency=2, on_done=done.append))
    assert offsets == {person_id: list(range(6)) for person_id in (1, 2, 3)}
    assert sorted(people.begun) == sorted(done) == [1, 2, 3]


async def test_an_id_repeated_for_ever_does_not_stop_the_loop() -> None:
    people = People()
    task = asyncio.create_task(collected(walks(itertools.repeat(1), people)))
    await turns(100)
    assert people.pages_served == 3
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_pair_begins_at_its_own_offset() -> None:
    offsets = await collected(walks([1, (2, 4), (3, 2)], People(), start=0))
    assert offsets == {1: [0, 1, 2, 3, 4, 5], 2: [4, 5], 3: [2, 3, 4, 5]}


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        ("4", "the person id must be an int, not '4'"),
        (-3, "the person id must be 1 or more, not -3"),
        (None, "the person id must be an int"),
        (True, "the person id must be an int"),
        ([4], "the person id must be an int"),
        ((4, -1), "start must be 0 or more, not -1"),
        ((4, "0"), "start must be an int"),
        ((4,), r"an id or an \(id, start\) pair, not \(4,\)"),
        ((4, 0, 0), r"an id or an \(id, start\) pair"),
    ],
)
async def test_what_cannot_be_an_id_is_one_failure(entry: object, named: str) -> None:
    done: list[int] = []
    with pytest.raises(FlowsFailed, match="1 of 3 persons failed") as caught:
        await collected(walks([1, entry, 2], People(), on_done=done.append, concurrency=1))
    [failure] = caught.value.failures
    assert isinstance(failure, InvalidIdError)
    assert isinstance(failure, ValueError)
    with pytest.raises(InvalidIdError, match=named):
        raise failure
    assert failure.owner_id is None
    assert done == [1, 2]


async def test_what_cannot_be_an_id_stops_all_when_told_so() -> None:
    with pytest.raises(FlowsFailed) as caught:
        await collected(walks([1, "4", *range(5, 99)], People(), on_error="raise", concurrency=1))
    assert isinstance(caught.value.stopped_by, InvalidIdError)
    assert caught.value.failures == (caught.value.stopped_by,)
    assert caught.value.begun == 2


# ---- any end of a worker


def cancelled_task() -> asyncio.Task[None]:
    task = asyncio.create_task(asyncio.sleep(0))
    task.cancel()
    return task


async def test_a_walk_that_ends_in_a_cancellation_of_its_own_has_failed() -> None:
    """It awaited something shared, and somebody cancelled that."""
    people = People(fail=lambda person_id, start: asyncio.CancelledError())
    people.fail = lambda person_id, start: (
        asyncio.CancelledError() if (person_id, start) == (2, 4) else None
    )
    with pytest.raises(FlowsFailed) as caught:
        async with asyncio.timeout(5):
            await collected(walks([1, 2, 3], people))
    [failure] = caught.value.failures
    assert isinstance(failure, TransportError)
    assert (failure.owner_id, failure.resume_start) == (2, 4)
    assert isinstance(failure.__cause__, asyncio.CancelledError)
    assert "walk of person 2 was cancelled by something" in str(failure)


async def test_ids_that_end_in_a_cancellation_of_their_own_stop_all() -> None:
    async def ids() -> AsyncIterator[int]:
        yield 1
        await cancelled_task()

    with pytest.raises(FlowsFailed) as caught:
        async with asyncio.timeout(5):
            await collected(walks(ids(), People()))
    assert "`ids` was cancelled" in str(caught.value.stopped_by)


async def test_a_cancellation_is_not_taken_for_one_of_the_ids() -> None:
    async def ids() -> AsyncIterator[int]:
        yield 1
        await asyncio.Event().wait()

    task = asyncio.create_task(collected(walks(ids(), People())))
    await turns(50)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert others() == set()


async def test_a_worker_that_somebody_else_cancels_stops_all() -> None:
    people = People(pages=1000)
    task = asyncio.create_task(collected(walks([1, 2], people, concurrency=2)))
    await turns(20)
    next(iter(others() - {task})).cancel()
    with pytest.raises(FlowsFailed, match="cancelled from outside"):
        async with asyncio.timeout(5):
            await task
    assert people.under_way == 0


class LastWord(BaseException):
    """What nobody may take for a failure, such as `pytest.exit`."""


@pytest.mark.parametrize("where", ["walk", "ids"])
async def test_what_is_no_exception_is_raised_as_it_is(where: str) -> None:
    def ids() -> Iterator[int]:
        yield 1
        if where == "ids":
            raise LastWord
        yield 2

    people = People(
        fail=lambda person_id, start: LastWord() if (where, person_id) == ("walk", 2) else None
    )
    with pytest.raises(LastWord):
        async with asyncio.timeout(5):
            await collected(walks(ids(), people, concurrency=2))
    assert others() == set()


class Stubborn(People):
    """Walks that swallow the first cancellation, as `asyncio.wait_for` of Python 3.11 may."""

    async def walk(self, owner: Owner, plan: WalkPlan) -> AsyncGenerator[FlowPage, None]:
        for start in range(0, 100, 2):
            with suppress(asyncio.CancelledError):
                await turns(5)
            self.pages_served += 1
            yield self.page(start)


async def test_a_walk_that_swallows_its_cancellation_ends_with_its_page() -> None:
    people = Stubborn(pages=50)
    updates = walks(range(1, 9), people, concurrency=3)
    async with asyncio.timeout(5):
        await anext(updates)
        await turns(2)
        await updates.aclose()
    assert others() == set()
    assert people.pages_served <= 3 * 3


async def test_ids_that_swallow_their_cancellation_are_taken_no_more() -> None:
    taken: list[int] = []

    async def ids() -> AsyncIterator[int]:
        for person_id in itertools.count(1):
            with suppress(asyncio.CancelledError):
                await turns(5)
            taken.append(person_id)
            yield person_id

    updates = walks(ids(), People(), concurrency=3)
    async with asyncio.timeout(5):
        await anext(updates)
        await turns(2)
        await updates.aclose()
    assert others() == set()
    assert len(taken) < 10


class RaisesAtTheEnd(People):
    """Walks whose closing fails, after the last page was yielded."""

    error: BaseException

    async def walk(self, owner: Owner, plan: WalkPlan) -> AsyncGenerator[FlowPage, None]:
        try:
            yield self.page(0)
        finally:
            raise self.error


@pytest.mark.parametrize("error", [TransportError("no"), asyncio.CancelledError()])
async def test_a_walk_that_fails_after_its_end_stops_all_and_is_done(error: BaseException) -> None:
    people = RaisesAtTheEnd(pages=1)
    people.error = error
    done: list[int] = []
    with pytest.raises(FlowsFailed) as caught:
        async with asyncio.timeout(5):
            await collected(walks([1, 2], people, concurrency=1, on_done=done.append))
    assert done == [1]
    assert caught.value.failures == ()
    assert caught.value.unfinished == {}


@pytest.mark.parametrize("concurrency", [1, 2, 8])
async def test_a_stop_reaches_a_consumer_that_waits(concurrency: int) -> None:
    people = People(fail=fails(1, kind=BlockedError, at=0))
    with pytest.raises(FlowsFailed):
        await collected(walks([1], people, concurrency=concurrency))


async def test_a_stop_reaches_a_consumer_that_is_busy() -> None:
    people = People(pages=50, fail=fails(1, kind=BlockedError, at=20))
    with pytest.raises(FlowsFailed):
        async for _ in walks([1], people, concurrency=1):
            await turns(30)


# ---- ends


async def test_a_break_ends_all_walks_at_once() -> None:
    people = People(pages=100)
    async with aclosing(walks(range(1, 100), people)) as updates:
        async for _ in updates:
            break
    assert people.under_way == 0
    assert others() == set()


async def test_a_cancellation_ends_all_walks_wherever_it_strikes() -> None:
    """The loop is cancelled after every number of turns that it may take, twice in a row too."""
    ids = list(range(1, 13))
    length = 0
    for length in itertools.count():  # pragma: no branch - it ends with a break
        people = People()
        updates = walks(ids, people, concurrency=3)
        task = asyncio.create_task(collected(updates))
        await turns(length)
        was_done = task.done()
        for _ in range(1 + length % 3):
            task.cancel()
            await asyncio.sleep(0)
        with suppress(asyncio.CancelledError):
            await task
        assert people.under_way == 0
        assert others() == set()
        if was_done:
            break
        assert task.cancelled()
    assert length > 20
