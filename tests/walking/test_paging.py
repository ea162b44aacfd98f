from __future__ import annotations

import inspect
import tracemalloc
from contextlib import aclosing
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeflow.errors import NotFoundError
from pipeflow.walking.paging import first_request, requests_after, walk_pages
from pipeflow.walking.plan import PageRequest, WalkPlan
from tests.walking.collection import (
    Collection,
    OneByOne,
    inserting,
    note,
    numbers_of,
    page_of,
    pages,
    scripted,
    walked,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeflow.records import FlowPage
    from tests.conftest import Wrong


# ---- which requests come next


def after(
    page: FlowPage, limit: int, *, count: int = 4, barren: bool = False, **options: Wrong
) -> list[tuple[int, int]]:
    following = requests_after(
        PageRequest(page.start, limit), page, WalkPlan(**options), barren=barren
    )
    return [(request.start, request.limit) for request in islice(following, count)]


def full(length: int, *, start: int = 0, nameless: Iterable[int] = ()) -> FlowPage:
    """A page that claims more; those at `nameless` have no id."""
    page = page_of(range(start, start + length), start=start, more=True)
    updates = [
        note(-1 - at, update.offset) if at in set(nameless) else update
        for at, update in enumerate(page.updates)
    ]
    return evolve(page, updates=tuple(updates))


@pytest.mark.parametrize(
    ("options", "request_"),
    [
        ({}, PageRequest(0, 500)),
        ({"start": 7, "page_size": 20}, PageRequest(7, 20)),
        ({"page_size": 20, "max_items": 5}, PageRequest(0, 5)),
    ],
)
def test_the_first_request_overlaps_nothing(
    options: dict[str, Wrong], request_: PageRequest
) -> None:
    assert first_request(WalkPlan(**options)) == request_


def test_each_page_repeats_the_last_record_of_the_one_before() -> None:
    assert after(full(10), 10, page_size=10) == [(9, 11), (19, 11), (29, 11), (39, 11)]


def test_the_largest_pages_bring_one_new_record_less() -> None:
    assert after(full(500), 500) == [(499, 500), (998, 500), (1497, 500), (1996, 500)]


def test_a_page_goes_back_to_the_last_record_with_an_id() -> None:
    page = full(10, nameless=[7, 8, 9])
    assert after(page, 10, page_size=10) == [(6, 14), (16, 14), (26, 14), (36, 14)]


def test_the_pages_foreseen_allow_for_as_long_a_run_without_ids() -> None:
    page = full(10, nameless=[3, 4])
    assert after(page, 10, page_size=10) == [(9, 11), (17, 13), (27, 13), (37, 13)]


def test_so_many_records_without_an_id_are_not_repeated() -> None:
    page = full(60, nameless=range(10, 60))
    assert after(page, 60, page_size=60, count=1) == [(59, 61)]
    page = full(60, nameless=range(11, 60))
    assert after(page, 60, page_size=60, count=1) == [(10, 110)]


def test_where_the_server_clamps_the_next_pages_are_as_short() -> None:
    assert after(full(7), 10, page_size=10) == [(6, 11), (12, 11), (18, 11), (24, 11)]


def test_clamped_pages_bring_something_new() -> None:
    assert after(full(3, nameless=[1, 2]), 10, page_size=10, count=1) == [(2, 11)]
    assert after(full(1), 10, page_size=10) == [(1, 10), (2, 10), (3, 10), (4, 10)]
    assert after(full(1), 1, page_size=1) == [(0, 2), (1, 2), (2, 2), (3, 2)]


def test_no_more_is_foreseen_than_is_wanted() -> None:
    assert after(full(10), 10, page_size=10, max_items=25) == [(9, 11), (19, 11), (29, 6)]
    assert after(full(10), 10, page_size=10, max_items=20) == [(9, 11), (19, 11)]
    assert after(full(10), 10, page_size=10, max_items=1) == [(9, 2)]
    assert after(full(10), 10, page_size=10, max_items=0) == []


def test_after_an_empty_page_that_claims_more_the_same_is_asked_for_and_nothing_foreseen() -> None:
    assert after(page_of([], start=5, more=True), 10, page_size=10) == [(5, 10)]


def test_after_the_last_page_nothing_comes() -> None:
    assert after(page_of(range(5), start=0, more=False), 10) == []


def test_after_a_page_with_nothing_new_as_many_as_possible_are_asked_for() -> None:
    assert after(full(10), 10, page_size=10, count=2, barren=True)[0] == (9, 500)
    assert after(full(2), 2, page_size=500, max_items=1, barren=True) == [(1, 500)]


def test_where_the_server_leads_further_than_it_sends_it_is_followed() -> None:
    page = page_of([1, 2], start=10, more=True, next_start=50)
    assert after(page, 40, page_size=40) == [(50, 40), (90, 40), (130, 40), (170, 40)]


def test_where_the_server_leads_less_far_than_it_sends_it_is_followed_too() -> None:
    page = page_of(range(10), start=0, more=True, next_start=5)
    assert after(page, 10, page_size=10, count=1) == [(4, 11)]


# ---- a walk


async def test_a_walk_goes_from_page_to_page() -> None:
    collection = Collection(range(25))
    assert await walked(collection) == list(range(25))
    assert collection.asked == [(0, 10), (9, 11), (19, 11)]


async def test_a_thousand_records_take_three_requests_and_5000_eleven() -> None:
    for size, requests in ((500, 1), (999, 2), (1000, 3), (5000, 11)):
        collection = Collection(range(size))
        assert await walked(collection, page_size=500) == list(range(size))
        assert len(collection.asked) == requests


async def test_a_walk_begins_where_it_is_told() -> None:
    assert await walked(Collection(range(25)), start=7) == list(range(7, 25))


async def test_a_clamped_page_loses_nothing() -> None:
    collection = Collection(range(1300), clamp=100)
    assert await walked(collection, page_size=500) == list(range(1300))
    assert collection.asked[1] == (99, 500)


@pytest.mark.parametrize("clamp", [1, 2, 3])
@pytest.mark.parametrize("page_size", [1, 2, 500])
async def test_the_smallest_pages_end(clamp: int, page_size: int) -> None:
    assert await walked(Collection(range(40), clamp=clamp), page_size=page_size) == list(range(40))


async def test_the_servers_next_start_is_followed() -> None:
    async def sparse(request: PageRequest) -> FlowPage:
        return {
            0: page_of([1, 2], start=0, more=True, next_start=50),
            50: page_of([3], start=50, more=False),
        }[request.start]

    assert await walked(sparse) == [1, 2, 3]


async def test_an_empty_history_yields_no_page() -> None:
    assert await pages(Collection([])) == []


async def test_no_page_asks_for_more_than_is_still_wanted() -> None:
    collection = Collection(range(100))
    assert await walked(collection, max_items=25) == list(range(25))
    assert collection.asked == [(0, 10), (9, 11), (19, 6)]


async def test_the_very_last_wanted_update_is_fetched() -> None:
    collection = Collection(range(600))
    assert await walked(collection, page_size=500, max_items=501) == list(range(501))
    assert collection.asked == [(0, 500), (499, 2)]


async def test_new_notes_before_the_last_wanted_one_are_no_standstill() -> None:
    collection = Collection(range(600), before_page={1: inserting(0, *range(700, 705))})
    assert await walked(collection, page_size=500, max_items=501) == list(range(501))
    assert collection.asked == [(0, 500), (499, 2), (500, 500)]


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_an_empty_page_that_claims_more_loses_nothing(number: int) -> None:
    collection = Collection(range(25))

    async def hiccup(request: PageRequest) -> FlowPage:
        page = await collection(request)
        if len(collection.asked) != number:
            return page
        return evolve(page, updates=(), next_start=request.start)

    assert await walked(hiccup) == list(range(25))


async def test_nothing_wanted_is_nothing_asked() -> None:
    collection = Collection(range(100))
    assert await walked(collection, max_items=0) == []
    assert collection.asked == []


@pytest.mark.parametrize("wanted", [5, 6])
async def test_a_server_that_sends_more_than_asked_for_is_cut(wanted: int) -> None:
    async def generous(request: PageRequest) -> FlowPage:
        return page_of(range(20), start=0, more=False)

    (only,) = await pages(generous, max_items=wanted)
    assert numbers_of(only.updates) == list(range(wanted))
    assert (only.start, only.more_items, only.next_start) == (0, True, wanted)


@pytest.mark.parametrize("wanted", [10, 11, 20])
async def test_a_page_that_is_not_cut_stays_as_it_came(wanted: int) -> None:
    page = page_of(range(10), start=0, more=True, next_start=77)

    async def odd(request: PageRequest) -> FlowPage:
        return page

    plan = WalkPlan(page_size=10, max_items=wanted)
    assert await anext(walk_pages(OneByOne(odd), plan)) is page
    (only,) = await pages(Collection(range(10)), max_items=wanted)
    assert (only.more_items, only.next_start) == (False, None)


async def test_a_page_starts_with_its_first_new_update() -> None:
    collection = Collection(range(25), before_page={1: inserting(0, 99)})
    walk = await pages(collection)
    assert [page.start for page in walk] == [0, 11, 20]
    assert [page.updates[0].offset for page in walk] == [0, 11, 20]
    assert [page.next_start for page in walk] == [10, 20, None]


async def test_a_page_is_fetched_only_when_the_consumer_wants_it() -> None:
    collection = Collection(range(100))
    plan = WalkPlan(page_size=10)
    async with aclosing(walk_pages(OneByOne(collection), plan)) as walk:
        async for _ in walk:
            break
    assert collection.asked == [(0, 10)]


def test_a_walk_is_an_async_generator() -> None:
    assert inspect.isasyncgen(walk_pages(OneByOne(Collection([])), WalkPlan()))


async def test_an_error_says_where_to_go_on() -> None:
    async def failing(request: PageRequest) -> FlowPage:
        if request.start in {10, 19}:
            raise NotFoundError("gone", status=410)
        return page_of(range(request.start, request.start + 11), start=request.start, more=True)

    with pytest.raises(NotFoundError) as caught:
        await walked(failing, page_size=11)
    assert caught.value.resume_start == 11
    with pytest.raises(NotFoundError) as caught:
        await walked(failing, start=19)
    assert caught.value.resume_start == 19


# ---- at length


async def test_2000_pages_take_constant_memory() -> None:
    async def long(request: PageRequest) -> FlowPage:
        start = request.start
        return page_of(range(start, start + request.limit), start=start, more=start < 80_000)

    async def peak_after(count: int) -> int:
        tracemalloc.start()
        plan = WalkPlan(start=80_000 - 40 * (count - 1), page_size=40)
        async for _ in walk_pages(OneByOne(long), plan):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    await peak_after(10)
    assert await peak_after(2000) < 1.15 * await peak_after(200)


@given(cuts=st.lists(st.integers(1, 7), min_size=1, max_size=20), size=st.integers(0, 60))
@settings(deadline=None)
async def test_any_cut_into_pages_yields_the_same_sequence(cuts: list[int], size: int) -> None:
    async def cut(request: PageRequest) -> FlowPage:
        stop = request.start + cuts[request.start % len(cuts)]
        numbers = range(request.start, min(stop, size))
        return page_of(numbers, start=request.start, more=stop < size)

    assert await walked(cut) == list(range(size))


async def test_a_scripted_walk_keeps_what_an_answer_says_twice() -> None:
    assert await walked(scripted([0, 1, 1], [1, 2, 2])) == [0, 1, 1, 2, 2]
