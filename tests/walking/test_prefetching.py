from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from pipeflow.errors import NotFoundError
from pipeflow.records import FlowPage, FlowUpdate
from pipeflow.walking.plan import WalkPlan
from pipeflow.walking.prefetching import walk_pages_ahead

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from pipeflow.walking.plan import PageRequest
    from pipeflow.walking.prefetching import FetchAnswer


def page(numbers: list[int], *, start: int, more: bool, stride: int | None = None) -> FlowPage:
    updates = tuple(
        FlowUpdate(object="note", data={"id": number}, offset=start + place)
        for place, number in enumerate(numbers)
    )
    next_start = start + (len(updates) if stride is None else stride)
    return FlowPage(
        updates=updates,
        start=start,
        page_size=len(updates),
        more_items=more,
        next_start=next_start if more else None,
    )


class Collection:
    """Serves pages when told to, and notes what is asked and what is under way."""

    def __init__(
        self,
        size: int,
        *,
        clamp: int = 500,
        delay: Callable[[int], int] = lambda start: 0,
        change: dict[int, Callable[[list[int]], None]] | None = None,
    ) -> None:
        self.numbers = list(range(size))
        self.clamp = clamp
        self.delay = delay
        self.change = change or {}
        self.asked: list[int] = []
        self.limits: list[int] = []
        self.under_way = 0
        self.most_under_way = 0

    async def __call__(self, request: PageRequest) -> FlowPage:
        start, limit = request.start, request.limit
        self.asked.append(start)
        self.limits.append(limit)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            for _ in range(1 + self.delay(start)):
                await asyncio.sleep(0)
            change = self.change.pop(start, None)
            if change:
                change(self.numbers)
            stop = start + min(limit, self.clamp)
            more = stop < len(self.numbers)
            return page(self.numbers[start:stop], start=start, more=more)
        finally:
            self.under_way -= 1


def as_it_is(page: FlowPage, _start: int) -> FlowPage:
    return page


def walk(
    fetch_answer: FetchAnswer[FlowPage],
    *,
    prefetch: int,
    page_size: int = 10,
    max_items: int | None = None,
) -> AsyncGenerator[FlowPage, None]:
    plan = WalkPlan(page_size=page_size, max_items=max_items, prefetch=prefetch)
    return walk_pages_ahead(fetch_answer, as_it_is, plan)


async def numbers_of(pages: AsyncGenerator[FlowPage, None]) -> list[int]:
    return [
        update.data["id"]
        async for page in pages
        for update in page.updates
        if isinstance(update.data, dict)
    ]


@pytest.mark.parametrize("prefetch", range(10))
async def test_updates_come_in_order_and_once(prefetch: int) -> None:
    collection = Collection(205, delay=lambda start: (start * 7) % 5)
    assert await numbers_of(walk(collection, prefetch=prefetch)) == list(range(205))
    assert sorted(set(collection.asked)) == sorted(collection.asked)


async def test_without_prefetch_nothing_is_under_way_while_the_loop_is_busy() -> None:
    collection = Collection(50)
    async with aclosing(walk(collection, prefetch=0)) as pages:
        await anext(pages)
        await asyncio.sleep(0)
        assert collection.asked == [0]


async def test_with_one_the_next_page_is_asked_for_while_the_loop_is_busy() -> None:
    collection = Collection(50)
    async with aclosing(walk(collection, prefetch=1)) as pages:
        await anext(pages)
        await asyncio.sleep(0)
        assert collection.asked == [0, 9]
    assert await numbers_of(walk(collection, prefetch=1)) == list(range(50))


async def test_with_one_no_request_falls_beyond_the_end() -> None:
    collection = Collection(50)
    await numbers_of(walk(collection, prefetch=1))
    assert collection.asked == [0, 9, 19, 29, 39]


async def test_the_number_under_way_doubles_up_to_its_bound() -> None:
    collection = Collection(1000)
    async with aclosing(walk(collection, prefetch=8)) as pages:
        reached = []
        for _ in range(5):
            await anext(pages)
            await asyncio.sleep(0)
            reached.append((max(collection.asked) + 1) // 10)
    # After page n, so many pages are asked for: 2, 4, 8 and then always 8 ahead.
    assert reached == [2, 5, 10, 11, 12]


@pytest.mark.parametrize("prefetch", [2, 4, 8])
@pytest.mark.parametrize("pages", range(1, 12))
async def test_few_requests_fall_beyond_the_end_and_none_for_one_page(
    prefetch: int, pages: int
) -> None:
    collection = Collection(10 * pages)
    await numbers_of(walk(collection, prefetch=prefetch))
    beyond = len(collection.asked) - pages
    assert beyond <= (0 if pages == 1 else prefetch - 1)


async def test_a_slow_consumer_holds_no_more_than_its_pages() -> None:
    collection = Collection(1000)
    async with aclosing(walk(collection, prefetch=4)) as pages:
        for number in range(1, 20):
            await anext(pages)
            for _ in range(20):
                await asyncio.sleep(0)
            assert len(collection.asked) <= number + 4
    assert collection.most_under_way <= 4


async def test_an_answer_is_decoded_when_its_turn_comes() -> None:
    collection = Collection(100)
    decoded: list[int] = []

    def decode(page: FlowPage, start: int) -> FlowPage:
        decoded.append(start)
        return page

    pages = walk_pages_ahead(collection, decode, WalkPlan(page_size=10, prefetch=4))
    async with aclosing(pages):
        await anext(pages)
        await anext(pages)
        while collection.under_way:
            await asyncio.sleep(0)
        assert collection.asked == [0, 9, 19, 29, 39, 49]
        assert decoded == [0, 9]
        await anext(pages)
        assert decoded == [0, 9, 19]


async def test_the_next_pages_are_asked_for_though_the_loop_never_waits() -> None:
    collection = Collection(100)
    async with aclosing(walk(collection, prefetch=2)) as pages:
        await anext(pages)
        assert collection.asked == [0, 9, 19]


@pytest.mark.parametrize(("wanted", "last"), [(35, 6), (31, 2), (40, 11)])
async def test_max_items_are_asked_for_exactly(wanted: int, last: int) -> None:
    collection = Collection(1000)
    assert await numbers_of(walk(collection, prefetch=8, max_items=wanted)) == list(range(wanted))
    assert collection.asked == [0, 9, 19, 29]
    assert collection.limits == [10, 11, 11, last]


async def test_the_number_under_way_doubles_and_does_not_square() -> None:
    collection = Collection(1000)
    async with aclosing(walk(collection, prefetch=16)) as pages:
        for _ in range(3):
            await anext(pages)
    assert max(collection.asked) == 10 * (2 + 8) - 1


async def test_unless_told_otherwise_nothing_is_fetched_ahead() -> None:
    collection = Collection(50)
    pages = walk_pages_ahead(collection, as_it_is, WalkPlan(page_size=10))
    async with aclosing(pages):
        await anext(pages)
        assert collection.asked == [0]


@pytest.mark.parametrize("prefetch", [0, 1, 3, 8])
@pytest.mark.parametrize("page_size", [10, 500])
async def test_foreseen_pages_are_the_ones_asked_for(prefetch: int, page_size: int) -> None:
    """They overlap by one, which the first page does not, and none is fetched twice or in vain."""
    collection = Collection(12 * page_size)
    wanted = 10 * page_size
    pages = walk(collection, prefetch=prefetch, page_size=page_size, max_items=wanted)
    assert await numbers_of(pages) == list(range(wanted))
    stride = min(page_size, 499)
    assert collection.asked == [0, *range(page_size - 1, wanted - 1, stride)]


async def test_clamped_pages_are_foreseen_after_the_first() -> None:
    collection = Collection(60, clamp=7)
    assert await numbers_of(walk(collection, prefetch=2)) == list(range(60))
    assert collection.asked == sorted(set(collection.asked))


async def test_where_the_server_leads_further_than_it_sends_is_foreseen() -> None:
    asked: list[int] = []

    async def sparse(request: PageRequest) -> FlowPage:
        start = request.start
        asked.append(start)
        return page([start], start=start, more=start < 200, stride=40)

    assert await numbers_of(walk(sparse, prefetch=2)) == [0, 40, 80, 120, 160, 200]
    assert sorted(set(asked)) == asked
    assert asked[:6] == [0, 40, 80, 120, 160, 200]


async def test_the_last_update_wanted_is_foreseen_too() -> None:
    collection = Collection(1000)
    async with aclosing(walk(collection, prefetch=8, max_items=21)) as pages:
        await anext(pages)
        assert collection.asked == [0, 9, 19]


async def test_what_is_under_way_is_cancelled_and_not_waited_for() -> None:
    collection = Collection(1000)

    async def endless(request: PageRequest) -> FlowPage:
        if request.start:
            await asyncio.Event().wait()
        return await collection(request)

    async with asyncio.timeout(5.0):
        async with aclosing(walk(endless, prefetch=4)) as pages:
            await anext(pages)


async def test_a_clamp_in_the_middle_throws_foreseen_pages_away() -> None:
    collection = Collection(200)

    def clamp(numbers: list[int]) -> None:
        collection.clamp = 3

    collection.change[39] = clamp
    assert await numbers_of(walk(collection, prefetch=4)) == list(range(200))


@pytest.mark.parametrize("place", [0, 5, 18, 19])
async def test_one_new_record_throws_nothing_away_that_was_fetched_ahead(place: int) -> None:
    """Later pages are answered first, from before the record that an earlier one already shows."""

    def appear(numbers: list[int]) -> None:
        numbers.insert(place, 999)

    collection = Collection(300, delay=lambda start: 5 if start == 19 else 0, change={19: appear})
    seen = await numbers_of(walk(collection, prefetch=4))
    assert [number for number in seen if number != 999] == list(range(300))
    undisturbed = Collection(301)
    await numbers_of(walk(undisturbed, prefetch=4))
    assert len(collection.asked) <= len(undisturbed.asked) + 2


async def test_a_backdated_record_between_pages_under_way_costs_no_other_one() -> None:
    """Answers (10, 5), then an insert at 8, then (5, 5) from after it."""

    def appear(numbers: list[int]) -> None:
        numbers.insert(8, 999)

    collection = Collection(40, delay=lambda start: 5 if start == 4 else 0, change={4: appear})
    seen = await numbers_of(walk(collection, prefetch=2, page_size=5))
    assert [number for number in seen if number != 999] == list(range(40))


async def test_pages_from_before_a_shift_by_more_than_they_hold_are_dropped() -> None:
    def appear(numbers: list[int]) -> None:
        numbers[0:0] = range(900, 980)

    collection = Collection(300, delay=lambda start: 5 if start == 9 else 0, change={9: appear})
    seen = await numbers_of(walk(collection, prefetch=8, page_size=10))
    assert [number for number in seen if number < 900] == list(range(300))
    assert len(collection.asked) < 60


async def test_an_error_is_raised_in_its_place() -> None:
    collection = Collection(100)

    async def failing(request: PageRequest) -> FlowPage:
        if request.start == 39:
            raise NotFoundError("gone", status=410)
        return await collection(request)

    pages = walk(failing, prefetch=8)
    seen = [update.offset for _ in range(4) for update in (await anext(pages)).updates]
    with pytest.raises(NotFoundError) as caught:
        await anext(pages)
    assert seen == list(range(40))
    assert caught.value.resume_start == 40


async def test_an_error_beyond_the_end_is_never_noticed() -> None:
    collection = Collection(50)

    async def strict(request: PageRequest) -> FlowPage:
        if request.start >= 50:
            raise NotFoundError("beyond", status=404)
        return await collection(request)

    assert await numbers_of(walk(strict, prefetch=8)) == list(range(50))


async def others() -> set[asyncio.Task[object]]:
    return asyncio.all_tasks() - {asyncio.current_task()}


async def test_a_break_leaves_nothing_under_way() -> None:
    collection = Collection(1000, delay=lambda start: 1000 if start else 0)
    async with aclosing(walk(collection, prefetch=8)) as pages:
        async for _ in pages:
            break
    assert collection.under_way == 0
    assert await others() == set()


async def test_an_exception_in_the_loop_leaves_nothing_under_way() -> None:
    collection = Collection(1000, delay=lambda start: 1000 if start else 0)

    async def stumble() -> None:
        async with aclosing(walk(collection, prefetch=8)) as pages:
            await anext(pages)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await stumble()
    assert collection.under_way == 0
    assert await others() == set()


@pytest.mark.parametrize("prefetch", [1, 4])
async def test_a_cancellation_leaves_nothing_under_way(prefetch: int) -> None:
    collection = Collection(1000, delay=lambda start: 1000 if start else 0)
    task = asyncio.create_task(numbers_of(walk(collection, prefetch=prefetch)))
    while len(collection.asked) < 2:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert collection.under_way == 0
    assert await others() == set()
