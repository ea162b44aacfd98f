from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing
from typing import Any

import pytest

from pipeflow.errors import (
    BlockedError,
    DailyBudgetExhaustedError,
    NotFoundError,
    PipeflowError,
    ServerError,
)
from pipeflow.records import FlowPage, FlowUpdate
from pipeflow.walking.many import walk_many

Fail = Callable[[int, int], PipeflowError | None]


class People:
    """Serves `pages` pages of two updates for each person, and notes who is under way."""

    def __init__(self, *, pages: int = 3, fail: Fail = lambda person_id, start: None) -> None:
        self.pages = pages
        self.fail = fail
        self.begun: list[int] = []
        self.under_way = 0
        self.most_under_way = 0
        self.pages_served = 0

    async def walk(self, person_id: int) -> AsyncGenerator[FlowPage, None]:
        self.begun.append(person_id)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            for number in range(self.pages):
                for _ in range(1 + (person_id * 7 + number) % 3):
                    await asyncio.sleep(0)
                error = self.fail(person_id, 2 * number)
                if error is not None:
                    error.resume_start = 2 * number
                    raise error
                self.pages_served += 1
                yield self.page(2 * number)
        finally:
            self.under_way -= 1

    def page(self, start: int) -> FlowPage:
        more = start + 2 < 2 * self.pages
        return FlowPage(
            updates=tuple(FlowUpdate(object="note", offset=start + place) for place in (0, 1)),
            start=start,
            page_size=2,
            more_items=more,
            next_start=start + 2 if more else None,
        )


async def collected(updates: AsyncGenerator[tuple[int, FlowUpdate], None]) -> dict[int, list[int]]:
    offsets: dict[int, list[int]] = {}
    async for person_id, update in updates:
        offsets.setdefault(person_id, []).append(update.offset)
    return offsets


async def as_they_come(ids: range) -> AsyncIterator[int]:
    for person_id in ids:
        await asyncio.sleep(0)
        yield person_id


def others() -> set[asyncio.Task[Any]]:
    current = asyncio.current_task()
    return {task for task in asyncio.all_tasks() if task is not current}


@pytest.mark.parametrize("concurrency", [1, 3, 8, 100])
@pytest.mark.parametrize("ids", [list, iter, as_they_come])
async def test_each_persons_updates_come_in_order_and_all_of_them(
    concurrency: int, ids: Callable[[range], Any]
) -> None:
    people = People()
    offsets = await collected(walk_many(ids(range(1, 31)), people.walk, concurrency=concurrency))
    assert offsets == {person_id: list(range(6)) for person_id in range(1, 31)}
    assert people.most_under_way <= concurrency
    assert others() == set()


async def test_nobody_is_nothing() -> None:
    assert await collected(walk_many([], People().walk, concurrency=8)) == {}


async def test_a_slow_consumer_holds_at_most_two_pages_per_walk() -> None:
    people = People(pages=100)
    consumed = 0
    async with aclosing(walk_many(range(1, 50), people.walk, concurrency=4)) as updates:
        async for _ in updates:
            consumed += 1
            for _ in range(30):
                await asyncio.sleep(0)
            assert people.pages_served <= consumed / 2 + 2 * 4 + 1
            if consumed == 40:
                break


async def test_an_endless_stream_of_ids_is_taken_one_by_one() -> None:
    taken = 0

    def endless() -> Iterator[int]:
        nonlocal taken
        while True:
            taken += 1
            yield taken

    seen = 0
    async with aclosing(walk_many(endless(), People(pages=1).walk, concurrency=4)) as updates:
        async for _ in updates:
            seen += 1
            assert taken <= seen + 2 * 4 + 1
            if seen == 500:
                break
    assert others() == set()


# ---- failures


def fails(*person_ids: int, kind: type[PipeflowError] = ServerError, at: int = 2) -> Fail:
    def fail(person_id: int, start: int) -> PipeflowError | None:
        status: dict[str, Any] = {"status": 500}
        return kind("no", **status) if person_id in person_ids and start == at else None

    return fail


async def test_failures_are_raised_at_the_end_with_person_and_place() -> None:
    people = People(fail=fails(3, 5))
    offsets: dict[int, list[int]] = {}
    with pytest.raises(ExceptionGroup, match="2 of 10 persons failed") as caught:
        async for person_id, update in walk_many(range(1, 11), people.walk, concurrency=8):
            offsets.setdefault(person_id, []).append(update.offset)
    failures = [error for error in caught.value.exceptions if isinstance(error, ServerError)]
    assert sorted((error.person_id, error.resume_start) for error in failures) == [(3, 2), (5, 2)]
    assert offsets.pop(3) == offsets.pop(5) == [0, 1]
    assert offsets == {person_id: list(range(6)) for person_id in (1, 2, 4, 6, 7, 8, 9, 10)}


async def test_the_first_failure_stops_all_when_told_so() -> None:
    people = People(pages=50, fail=fails(3))
    with pytest.raises(ServerError) as caught:
        await collected(walk_many(range(1, 1000), people.walk, concurrency=4, on_error="raise"))
    assert caught.value.person_id == 3
    assert len(people.begun) < 10
    assert people.under_way == 0
    assert others() == set()


@pytest.mark.parametrize("kind", [DailyBudgetExhaustedError, BlockedError])
async def test_the_daily_budget_and_a_block_stop_everything_and_say_who_is_not_done(
    kind: type[PipeflowError],
) -> None:
    ids = list(range(1, 41))
    people = People(fail=fails(20, kind=kind))
    done: list[int] = []
    offsets: dict[int, list[int]] = {}
    with pytest.raises(kind) as caught:
        async for person_id, update in walk_many(
            ids, people.walk, concurrency=4, on_done=done.append
        ):
            offsets.setdefault(person_id, []).append(update.offset)
    error = caught.value
    assert error.person_id == 20
    assert 20 in error.unfinished
    assert sorted([*done, *error.unfinished]) == ids[: error.begun]
    assert f"{len(done)} of the first {error.begun} persons are done" in error.__notes__[0]
    assert pickle.loads(pickle.dumps(error)).unfinished == error.unfinished

    rest = People()
    remaining = [*error.unfinished, *ids[error.begun :]]
    more = await collected(walk_many(remaining, rest.walk, concurrency=8))
    for person_id in ids:
        before = offsets.get(person_id, [])[: error.unfinished.get(person_id, 6)]
        start = error.unfinished.get(person_id, 0 if person_id in remaining else 6)
        assert before + more.get(person_id, [])[start:] == list(range(6))


async def test_what_was_consumed_is_not_among_the_unfinished() -> None:
    people = People(pages=9, fail=fails(2, kind=BlockedError, at=6))
    consumed: dict[int, int] = {}
    with pytest.raises(BlockedError) as caught:
        async for person_id, update in walk_many([1, 2, 3], people.walk, concurrency=3):
            consumed[person_id] = update.offset + 1
    assert caught.value.unfinished == consumed
    assert caught.value.resume_start == consumed[2] == 6


async def test_the_note_counts_who_is_done_and_not_who_failed() -> None:
    people = People(pages=1, fail=fails(1, 2, at=0))
    stops = People(pages=1, fail=fails(*range(7, 100), kind=BlockedError, at=0))
    with pytest.raises(BlockedError) as caught:
        await collected(
            walk_many(
                range(1, 100),
                lambda person_id: (people if person_id < 7 else stops).walk(person_id),
                concurrency=1,
            )
        )
    assert len(caught.value.failures) == 2
    [note] = caught.value.__notes__
    assert note.startswith("4 of the first 7 persons are done; ")
    assert note.endswith(": {7: 0}")


async def test_a_stop_ends_the_other_walks_though_the_consumer_is_busy() -> None:
    people = People(pages=50, fail=fails(1, kind=BlockedError, at=2))
    async with aclosing(walk_many(range(1, 9), people.walk, concurrency=8)) as updates:
        await anext(updates)
        for _ in range(50):
            await asyncio.sleep(0)
        assert people.under_way == 0


async def test_failures_before_the_stop_are_kept() -> None:
    def fail(person_id: int, start: int) -> PipeflowError | None:
        if person_id == 2:
            return ServerError("no", status=500)
        return BlockedError("blocked", status=403) if person_id == 30 else None

    with pytest.raises(BlockedError) as caught:
        await collected(walk_many(range(1, 100), People(fail=fail).walk, concurrency=2))
    assert [failure.person_id for failure in caught.value.failures] == [2]


async def test_missing_persons_are_passed_over_when_told_so() -> None:
    done: list[int] = []
    people = People(fail=fails(2, kind=NotFoundError, at=0))
    offsets = await collected(
        walk_many([1, 2, 3], people.walk, concurrency=8, skip_missing=True, on_done=done.append)
    )
    assert set(offsets) == {1, 3}
    assert sorted(done) == [1, 2, 3]
    with pytest.raises(ExceptionGroup):
        await collected(walk_many([1, 2, 3], people.walk, concurrency=8))


async def test_what_the_ids_raise_is_raised() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise KeyError("no more")

    with pytest.raises(KeyError):
        await collected(walk_many(broken(), People().walk, concurrency=8))
    assert others() == set()


@pytest.mark.parametrize("concurrency", [1, 2, 8])
async def test_a_stop_reaches_a_consumer_that_waits(concurrency: int) -> None:
    people = People(fail=fails(1, kind=BlockedError, at=0))
    with pytest.raises(BlockedError):
        await collected(walk_many([1], people.walk, concurrency=concurrency))


async def test_a_stop_reaches_a_consumer_that_is_busy() -> None:
    """The queue is full then, so that the news cannot stand in it."""
    people = People(pages=50, fail=fails(1, kind=BlockedError, at=20))
    with pytest.raises(BlockedError):
        async for _ in walk_many([1], people.walk, concurrency=1):
            for _ in range(30):
                await asyncio.sleep(0)


# ---- ends


async def test_a_break_ends_all_walks_at_once() -> None:
    people = People(pages=100)
    async with aclosing(walk_many(range(1, 100), people.walk, concurrency=8)) as updates:
        async for _ in updates:
            break
    assert people.under_way == 0
    assert others() == set()


async def test_a_cancellation_ends_all_walks_at_once() -> None:
    people = People(pages=1000)
    task = asyncio.create_task(collected(walk_many(range(1, 100), people.walk, concurrency=8)))
    while people.pages_served < 30:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert people.under_way == 0
    assert others() == set()
