from __future__ import annotations

import inspect
import tracemalloc
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeflow.errors import NotFoundError, PaginationError
from pipeflow.records import FlowPage, FlowUpdate
from pipeflow.walking.paging import MOST_BARREN_PAGES, walk_pages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pipeflow.walking.paging import FetchPage

    Growth = Callable[[list[int]], object]


def update(number: int, offset: int = 0) -> FlowUpdate:
    timestamp = datetime.fromtimestamp(1_800_000_000 - number, UTC)
    return FlowUpdate(object="note", timestamp=timestamp, data={"id": number}, offset=offset)


def number_of(update: FlowUpdate) -> int:
    assert isinstance(update.data, dict)
    return int(update.data["id"])


def page(
    numbers: Iterable[int], *, start: int, more: bool, next_start: int | None = None
) -> FlowPage:
    updates = tuple(update(number, start + place) for place, number in enumerate(numbers))
    if more and next_start is None:
        next_start = start + len(updates)
    return FlowPage(
        updates=updates,
        start=start,
        page_size=len(updates),
        more_items=more,
        next_start=next_start if more else None,
    )


class Collection:
    """Serves pages of numbered updates, at most `clamp` a page, and notes what it was asked."""

    def __init__(
        self,
        numbers: Iterable[int],
        *,
        clamp: int = 500,
        before_page: Mapping[int, Growth] | None = None,
    ) -> None:
        self.numbers = list(numbers)
        self.clamp = clamp
        self.before_page = before_page or {}
        self.asked: list[tuple[int, int]] = []

    async def __call__(self, start: int, limit: int) -> FlowPage:
        grow = self.before_page.get(len(self.asked))
        if grow:
            grow(self.numbers)
        self.asked.append((start, limit))
        stop = start + min(limit, self.clamp)
        return page(self.numbers[start:stop], start=start, more=stop < len(self.numbers))


async def walked(
    fetch_page: FetchPage, *, start: int = 0, page_size: int = 10, max_items: int | None = None
) -> list[int]:
    walk = walk_pages(fetch_page, start=start, page_size=page_size, max_items=max_items)
    return [number_of(update) async for page in walk for update in page.updates]


async def test_a_walk_goes_from_page_to_page() -> None:
    collection = Collection(range(25))
    assert await walked(collection) == list(range(25))
    assert collection.asked == [(0, 10), (10, 10), (20, 10)]


async def test_a_walk_begins_where_it_is_told() -> None:
    assert await walked(Collection(range(25)), start=7) == list(range(7, 25))


async def test_a_clamped_page_loses_nothing() -> None:
    collection = Collection(range(1300), clamp=100)
    assert await walked(collection, page_size=500) == list(range(1300))
    assert collection.asked[1] == (100, 500)


async def test_the_servers_next_start_is_followed() -> None:
    async def sparse(start: int, limit: int) -> FlowPage:
        return {
            0: page([1, 2], start=0, more=True, next_start=50),
            50: page([3], start=50, more=False),
        }[start]

    assert await walked(sparse) == [1, 2, 3]


async def test_an_empty_history_yields_no_page() -> None:
    assert [page async for page in walk_pages(Collection([]), start=0, page_size=10)] == []


async def test_no_page_asks_for_more_than_is_still_wanted() -> None:
    collection = Collection(range(100))
    assert await walked(collection, max_items=25) == list(range(25))
    assert collection.asked == [(0, 10), (10, 10), (20, 5)]


async def test_nothing_wanted_is_nothing_asked() -> None:
    collection = Collection(range(100))
    assert await walked(collection, max_items=0) == []
    assert collection.asked == []


async def test_a_server_that_sends_more_than_asked_for_is_cut() -> None:
    async def generous(start: int, limit: int) -> FlowPage:
        return page(range(start, start + 20), start=start, more=False)

    walk = walk_pages(generous, start=0, page_size=10, max_items=5)
    (only,) = [page async for page in walk]
    assert [number_of(update) for update in only.updates] == [0, 1, 2, 3, 4]
    assert (only.more_items, only.next_start) == (True, 5)


async def test_a_page_that_is_cut_says_where_the_rest_begins() -> None:
    walk = walk_pages(Collection(range(30), clamp=500), start=0, page_size=10, max_items=6)
    (only,) = [page async for page in walk]
    assert (only.more_items, only.next_start) == (True, 6)

    async def generous(start: int, limit: int) -> FlowPage:
        return page(range(start, start + 20), start=start, more=False)

    for wanted in (5, 6):
        walk = walk_pages(generous, start=0, page_size=10, max_items=wanted)
        (only,) = [page async for page in walk]
        assert (only.more_items, only.next_start) == (True, wanted)


@pytest.mark.parametrize("wanted", [10, 11, 20])
async def test_a_page_that_is_not_cut_stays_as_it_came(wanted: int) -> None:
    async def odd(start: int, limit: int) -> FlowPage:
        return page(range(start, start + 10), start=start, more=start == 0, next_start=77)

    walk = walk_pages(odd, start=0, page_size=10, max_items=wanted)
    first = await anext(walk)
    assert (first.more_items, first.next_start) == (True, 77)
    walk = walk_pages(Collection(range(10)), start=0, page_size=10, max_items=wanted)
    (only,) = [page async for page in walk]
    assert (only.more_items, only.next_start) == (False, None)


async def test_five_barren_pages_in_a_row_are_the_end() -> None:
    asked = 0

    async def barren(start: int, limit: int) -> FlowPage:
        nonlocal asked
        asked += 1
        return page([0] if asked == 1 else [], start=start, more=True, next_start=start + 1)

    with pytest.raises(PaginationError):
        await walked(barren)
    assert asked == 1 + 5


async def test_a_page_is_fetched_only_when_the_consumer_wants_it() -> None:
    collection = Collection(range(100))
    async with aclosing(walk_pages(collection, start=0, page_size=10)) as pages:
        async for _ in pages:
            break
    assert collection.asked == [(0, 10)]


def test_a_walk_is_an_async_generator() -> None:
    assert inspect.isasyncgen(walk_pages(Collection([]), start=0, page_size=10))


async def test_an_error_says_where_to_go_on() -> None:
    async def failing(start: int, limit: int) -> FlowPage:
        if start == 20:
            raise NotFoundError("gone", status=410)
        return page(range(start, start + 10), start=start, more=True)

    with pytest.raises(NotFoundError) as caught:
        await walked(failing)
    assert caught.value.resume_start == 20


# ---- a collection that grows


async def test_an_update_that_shifts_the_seam_is_yielded_once() -> None:
    collection = Collection(range(30), before_page={1: lambda numbers: numbers.insert(0, 99)})
    assert await walked(collection) == list(range(30))


async def test_many_updates_that_shift_the_seam_are_yielded_once() -> None:
    grow = {1: lambda numbers: numbers.__setitem__(slice(0, 0), range(90, 97))}
    assert await walked(Collection(range(30), before_page=grow)) == list(range(30))


async def test_a_shift_by_more_than_a_page_loses_and_repeats_nothing() -> None:
    grow = {3: lambda numbers: numbers.__setitem__(slice(0, 0), range(100, 117))}
    assert await walked(Collection(range(50), before_page=grow)) == list(range(50))


async def test_what_appears_at_the_head_may_come_late_but_nothing_comes_twice() -> None:
    grow = {1: lambda numbers: numbers.__setitem__(slice(0, 0), range(100, 113))}
    seen = await walked(Collection(range(40), before_page=grow))
    assert [number for number in seen if number < 100] == list(range(40))
    assert len(seen) == len(set(seen))


async def test_equal_updates_within_a_page_are_real() -> None:
    assert await walked(Collection([1, 1, 2, 2, 2, 3])) == [1, 1, 2, 2, 2, 3]


async def test_an_equal_update_away_from_the_seam_is_real() -> None:
    numbers = [*range(10), 20, 3, 21]
    assert await walked(Collection(numbers)) == numbers


async def test_a_page_keeps_its_other_parts_when_the_seam_is_dropped() -> None:
    collection = Collection(range(15), before_page={1: lambda numbers: numbers.insert(0, 99)})
    pages = [page async for page in walk_pages(collection, start=0, page_size=10)]
    assert [update.offset for update in pages[1].updates] == [11, 12, 13, 14, 15]
    assert pages[1].start == 10


# ---- a collection that does not advance


async def test_a_mock_that_always_claims_more_ends() -> None:
    """A mock server made from the OpenAPI document answers every offset with its example."""
    asked: list[int] = []

    async def example(start: int, limit: int) -> FlowPage:
        asked.append(start)
        return page([1, 2], start=start, more=True)

    with pytest.raises(PaginationError, match="does not advance") as caught:
        await walked(example)
    assert len(asked) == 1 + MOST_BARREN_PAGES
    assert caught.value.resume_start == asked[-1]


async def test_empty_pages_that_claim_more_end() -> None:
    asked: list[int] = []

    async def empty(start: int, limit: int) -> FlowPage:
        asked.append(start)
        return page([], start=start, more=True, next_start=start + limit)

    with pytest.raises(PaginationError):
        await walked(empty)
    assert len(asked) == MOST_BARREN_PAGES


async def test_a_stuck_offset_ends() -> None:
    async def stuck(start: int, limit: int) -> FlowPage:
        return page(range(10), start=0, more=True, next_start=10)

    with pytest.raises(PaginationError):
        await walked(stuck)


async def test_a_few_barren_pages_are_passed_over() -> None:
    async def sparse(start: int, limit: int) -> FlowPage:
        full = start % 50 == 0
        return page([start] if full else [], start=start, more=start < 200, next_start=start + 10)

    assert await walked(sparse) == [0, 50, 100, 150, 200]


# ---- at length


async def test_2000_pages_take_constant_memory() -> None:
    async def endless(start: int, limit: int) -> FlowPage:
        return page(range(start, start + limit), start=start, more=start < 20_000)

    async def peak_after(pages: int) -> int:
        tracemalloc.start()
        walk = walk_pages(endless, start=20_000 - 10 * (pages - 1), page_size=10)
        count = 0
        async for _ in walk:
            count += 1
        assert count == pages
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    await peak_after(10)
    assert await peak_after(2000) < 2 * await peak_after(200)


@given(cuts=st.lists(st.integers(1, 7), min_size=1, max_size=20), size=st.integers(0, 60))
@settings(deadline=None)
async def test_any_cut_into_pages_yields_the_same_sequence(cuts: list[int], size: int) -> None:
    async def cut(start: int, limit: int) -> FlowPage:
        stop = start + cuts[start % len(cuts)]
        return page(range(start, min(stop, size)), start=start, more=stop < size)

    assert await walked(cut) == list(range(size))


@given(
    growth=st.dictionaries(st.integers(1, 12), st.integers(1, 12), max_size=6),
    size=st.integers(1, 60),
    page_size=st.integers(1, 9),
)
@settings(deadline=None, max_examples=300)
async def test_whatever_appears_during_a_walk_the_rest_is_yielded_once_and_in_order(
    growth: dict[int, int], size: int, page_size: int
) -> None:
    fresh = iter(range(1000, 10_000))

    def grow(count: int) -> Growth:
        def insert(numbers: list[int]) -> None:
            numbers[:0] = [next(fresh) for _ in range(count)]

        return insert

    collection = Collection(
        range(size), before_page={place: grow(count) for place, count in growth.items()}
    )
    try:
        seen = await walked(collection, page_size=page_size)
    except PaginationError:
        return  # it grew faster than it was walked
    assert [number for number in seen if number < 1000] == list(range(size))


# ---- a collection that shrinks


async def walked_with_care(
    fetch_page: FetchPage, *, page_size: int = 10, max_items: int | None = None, start: int = 0
) -> list[int]:
    walk = walk_pages(
        fetch_page, start=start, page_size=page_size, max_items=max_items, detect_removals=True
    )
    return [number_of(update) async for page in walk for update in page.updates]


def removing(*places: int) -> Callable[[list[int]], None]:
    def remove(numbers: list[int]) -> None:
        for place in sorted(places, reverse=True):
            del numbers[place]

    return remove


async def test_plain_paging_skips_what_a_removal_shifts_up() -> None:
    assert 10 not in await walked(Collection(range(30), before_page={1: removing(3)}))


async def test_a_removal_is_noticed_and_costs_one_request() -> None:
    collection = Collection(range(35), before_page={1: removing(3)})
    assert await walked_with_care(collection) == list(range(35))
    assert collection.asked == [(0, 10), (9, 11), (0, 11), (19, 11), (29, 11)]


async def test_the_removal_of_the_last_update_of_a_page_is_noticed() -> None:
    collection = Collection(range(25), before_page={1: removing(9)})
    assert await walked_with_care(collection) == list(range(25))


async def test_more_removals_than_a_page_holds_are_noticed() -> None:
    collection = Collection(range(60), before_page={3: removing(*range(2, 27))})
    assert await walked_with_care(collection) == list(range(60))


async def test_the_removal_of_everything_yielded_is_noticed() -> None:
    collection = Collection(range(30), before_page={1: removing(*range(10))})
    assert await walked_with_care(collection) == list(range(30))


async def test_without_removals_small_pages_cost_no_request_more() -> None:
    collection = Collection(range(100))
    assert await walked_with_care(collection, page_size=20) == list(range(100))
    assert len(collection.asked) == 5


async def test_the_largest_pages_bring_one_update_less() -> None:
    collection = Collection(range(1400))
    assert await walked_with_care(collection, page_size=500) == list(range(1400))
    assert collection.asked == [(0, 500), (499, 500), (998, 500)]


async def test_with_care_no_more_is_asked_for_than_is_wanted() -> None:
    collection = Collection(range(100))
    assert await walked_with_care(collection, max_items=25) == list(range(25))
    assert collection.asked == [(0, 10), (9, 11), (19, 6)]


async def test_going_back_stops_where_the_walk_began() -> None:
    collection = Collection(range(40), before_page={1: removing(*range(15, 30))})
    seen = await walked_with_care(collection, start=12, page_size=10)
    assert [number for number in seen if number >= 30] == list(range(30, 40))
    assert min(start for start, _ in collection.asked) == 12


async def test_a_removal_is_noticed_when_the_server_clamps_its_pages() -> None:
    collection = Collection(range(300), clamp=10, before_page={20: removing(0)})
    assert await walked_with_care(collection, page_size=100) == list(range(300))
    undisturbed = Collection(range(300), clamp=10)
    await walked_with_care(undisturbed, page_size=100)
    assert len(collection.asked) == len(undisturbed.asked) + 1


async def test_an_error_on_the_way_back_says_where_to_go_on() -> None:
    collection = Collection(range(30), before_page={1: removing(3)})

    async def failing(start: int, limit: int) -> FlowPage:
        if collection.asked and start == 0:
            raise NotFoundError("gone", status=410)
        return await collection(start, limit)

    with pytest.raises(NotFoundError) as caught:
        await walked_with_care(failing)
    assert caught.value.resume_start == 0


@given(
    changes=st.dictionaries(
        st.integers(1, 12),
        st.lists(st.tuples(st.booleans(), st.integers(0, 60)), max_size=8),
        max_size=6,
    ),
    size=st.integers(1, 60),
    page_size=st.integers(1, 9),
)
@settings(deadline=None, max_examples=300)
async def test_whatever_appears_and_goes_what_stood_throughout_is_yielded_once_and_in_order(
    changes: dict[int, list[tuple[bool, int]]], size: int, page_size: int
) -> None:
    fresh = iter(range(1000, 10_000))
    removed: set[int] = set()

    def change(steps: list[tuple[bool, int]]) -> Callable[[list[int]], None]:
        def apply(numbers: list[int]) -> None:
            for appears, place in steps:
                if appears:
                    numbers.insert(0, next(fresh))
                elif place < len(numbers):
                    removed.add(numbers.pop(place))

        return apply

    collection = Collection(
        range(size), before_page={place: change(steps) for place, steps in changes.items()}
    )
    try:
        seen = await walked_with_care(collection, page_size=page_size)
    except PaginationError:
        return  # it changed faster than it was walked
    stood = [number for number in range(size) if number not in removed]
    assert [number for number in seen if number in stood] == stood
