from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from pipeflow.errors import NotFoundError, PaginationError
from pipeflow.walking import joining
from pipeflow.walking.seen import Seen
from tests.walking.collection import Collection, inserting, page_of, removing, walked

if TYPE_CHECKING:
    from pipeflow.records import FlowPage, FlowUpdate
    from pipeflow.walking.identity import Identity
    from pipeflow.walking.plan import PageRequest


# ---- a collection that grows


@pytest.mark.parametrize("count", [1, 7, 13, 40])
async def test_what_appears_at_the_head_shifts_nothing_out(count: int) -> None:
    grow = {2: inserting(0, *range(100, 100 + count))}
    seen = await walked(Collection(range(50), before_page=grow))
    assert [number for number in seen if number < 100] == list(range(50))
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("place", range(12))
async def test_a_backdated_record_loses_and_repeats_nothing(place: int) -> None:
    collection = Collection(range(30), before_page={1: inserting(place, 99)})
    seen = await walked(collection)
    assert [number for number in seen if number != 99] == list(range(30))
    assert seen.count(99) == (place in {9, 10, 11})


async def test_two_backdated_records_just_before_the_last_one_come_once() -> None:
    collection = Collection(range(50), before_page={1: inserting(19, 98, 99)})
    seen = await walked(collection, start=10)
    assert [number for number in seen if number < 98] == list(range(10, 50))
    assert seen.count(98) <= 1
    assert seen.count(99) <= 1


async def test_more_new_records_than_a_page_do_not_repeat_one_from_the_middle() -> None:
    grow = {1: inserting(0, *range(100, 117))}
    assert await walked(Collection(range(50), before_page=grow), start=10) == list(range(10, 50))


async def test_what_appears_may_come_late_but_nothing_comes_twice() -> None:
    grow = {1: inserting(0, *range(100, 113))}
    seen = await walked(Collection(range(40), before_page=grow))
    assert [number for number in seen if number < 100] == list(range(40))
    assert len(seen) == len(set(seen))


# ---- a collection that shrinks


async def test_a_removal_costs_one_request() -> None:
    collection = Collection(range(35), before_page={1: removing(3)})
    assert await walked(collection) == list(range(35))
    assert collection.asked == [(0, 10), (9, 11), (0, 20), (19, 11), (29, 11)]


async def test_with_the_largest_pages_the_way_back_reaches_as_far_down_as_up() -> None:
    collection = Collection(range(2100), before_page={3: removing(3)})
    assert await walked(collection, page_size=500) == list(range(2100))
    # The torn page joins the one that was fetched for it, and is not fetched again.
    assert collection.asked == [
        (0, 500),
        (499, 500),
        (998, 500),
        (1497, 500),
        (1247, 500),
        (1996, 500),
    ]


async def test_the_way_back_doubles_its_steps() -> None:
    collection = Collection(range(600), before_page={10: removing(*range(190))})
    assert await walked(collection, page_size=20) == list(range(600))
    assert collection.asked[10:14] == [(199, 21), (174, 46), (149, 71), (99, 121)]
    assert collection.asked[14:16] == [(0, 220), (219, 21)]


@pytest.mark.parametrize("place", [0, 3, 8, 9])
async def test_any_removal_above_is_noticed(place: int) -> None:
    collection = Collection(range(35), before_page={1: removing(place)})
    assert await walked(collection) == list(range(35))


async def test_the_removal_of_everything_read_is_noticed() -> None:
    collection = Collection(range(30), before_page={1: removing(*range(10))})
    assert await walked(collection) == list(range(30))


async def test_an_emptied_collection_ends_the_walk() -> None:
    collection = Collection(range(30), before_page={1: removing(*range(30))})
    assert await walked(collection) == list(range(10))


async def test_the_walk_goes_back_beyond_where_it_began() -> None:
    collection = Collection(range(40), before_page={1: removing(*range(11))})
    assert await walked(collection, start=12) == list(range(12, 40))


async def test_a_removal_is_noticed_when_the_server_clamps_its_pages() -> None:
    collection = Collection(range(300), clamp=10, before_page={20: removing(0)})
    assert await walked(collection, page_size=100) == list(range(300))
    undisturbed = Collection(range(300), clamp=10)
    await walked(undisturbed, page_size=100)
    assert len(collection.asked) <= len(undisturbed.asked) + 2


async def test_an_error_on_the_way_back_says_where_to_go_on() -> None:
    collection = Collection(range(200), before_page={9: removing(3)})

    async def failing(request: PageRequest) -> FlowPage:
        if len(collection.asked) == 10:
            raise NotFoundError("gone", status=410)
        return await collection(request)

    with pytest.raises(NotFoundError) as caught:
        await walked(failing)
    assert caught.value.resume_start == 89 - 25


async def test_an_activity_that_moves_down_takes_no_other_record_with_it() -> None:
    def mark_done(numbers: list[int]) -> None:
        numbers.insert(20, numbers.pop(2))

    collection = Collection(range(50), before_page={1: mark_done})
    seen = await walked(collection, page_size=5)
    assert seen == list(range(50))


# ---- a history that cannot be joined


async def test_a_walk_that_finds_nothing_it_knows_begins_anew_a_few_times() -> None:
    """As of a server that gives other ids in each answer."""
    count = 0

    async def unstable(request: PageRequest) -> FlowPage:
        nonlocal count
        count += 1
        numbers = range(1000 * count, 1000 * count + request.limit)
        return page_of(numbers, start=request.start, more=True)

    with pytest.raises(PaginationError, match="lost its place") as caught:
        await walked(unstable)
    assert caught.value.resume_start == 0
    assert count == 18


@pytest.mark.parametrize("clamp", [10, 500])
async def test_a_walk_from_the_middle_that_finds_nothing_it_knows_is_an_error(clamp: int) -> None:
    change = {1: removing(*range(100, 110))}
    collection = Collection(range(600), clamp=clamp, before_page=change)
    with pytest.raises(PaginationError, match="lost its place") as caught:
        await walked(collection, start=100)
    assert caught.value.resume_start == 0


async def test_a_walk_from_the_middle_looks_further_down_too() -> None:
    def change(numbers: list[int]) -> None:
        numbers[0:0] = range(1000, 1030)

    collection = Collection(range(600), clamp=10, before_page={1: change})
    assert await walked(collection, start=5) == list(range(5, 600))


async def test_a_walk_from_the_middle_looks_further_down_than_a_stale_page() -> None:
    """The torn page was on its way before so much appeared, when the history was shorter."""
    asked = []

    async def fetch(request: PageRequest) -> FlowPage:
        asked.append(request)
        grown = [] if len(asked) == 1 else list(range(1000, 1030))
        numbers = [*grown, *range(20)]
        if len(asked) == 2:
            numbers = []
        end = request.start + request.limit
        return page_of(numbers[request.start : end], start=request.start, more=end < len(numbers))

    assert await walked(fetch, start=5, page_size=3) == list(range(5, 20))


async def test_a_history_that_never_joins_ends() -> None:
    count = 0

    async def torn(request: PageRequest) -> FlowPage:
        """Half of it is known, but never its first record."""
        nonlocal count
        count += 1
        numbers = [10_000 + count, *range(count)]
        return page_of(numbers, start=request.start, more=True)

    with pytest.raises(PaginationError, match="faster than it is read"):
        await walked(torn)
    assert count == 61


# ---- records without an id, and records that differ in each answer


@pytest.mark.parametrize("page_size", [1, 2, 3, 5, 60])
@pytest.mark.parametrize("clamp", [3, 500])
@pytest.mark.parametrize("reworded", [False, True])
@pytest.mark.parametrize(
    "numbers",
    [
        [*range(10), -1, -1, -1, *range(10, 20), -1, -1],
        [-1] * 30,
        [-1, -2, 0, 1, -3, -3, -3, -3, -3, -3, 2, -4],
    ],
)
async def test_where_nothing_moves_equal_records_without_an_id_survive(
    numbers: list[int], page_size: int, clamp: int, *, reworded: bool
) -> None:
    collection = Collection(numbers, clamp=clamp, reworded=reworded)
    assert await walked(collection, page_size=page_size) == numbers


@pytest.mark.parametrize("count", [1, 3, 8])
async def test_a_history_without_ids_is_joined_by_runs(count: int) -> None:
    numbers = list(range(-60, 0))
    for change in (inserting(0, *range(-200, -200 + count)), removing(*range(count))):
        seen = await walked(Collection(numbers, before_page={2: change}))
        assert [number for number in seen if number >= -60] == numbers


async def test_an_organization_that_is_renamed_in_each_answer_costs_no_request() -> None:
    collection = Collection(range(60), reworded=True)
    assert await walked(collection, page_size=10) == list(range(60))
    assert len(collection.asked) == 6


async def test_an_edited_record_does_not_come_again() -> None:
    collection = Collection(range(30), reworded=True, before_page={1: inserting(0, 99)})
    assert await walked(collection) == list(range(30))


async def test_thousands_of_records_of_one_time_are_no_burden() -> None:
    """Each is looked up once or twice a page, and not compared with all others."""
    looked_up = 0

    async def one_time(request: PageRequest) -> FlowPage:
        page = await collection(request)
        updates = tuple(evolve(update, timestamp=None) for update in page.updates)
        return evolve(page, updates=updates)

    class Counted(Seen):
        def _stands(self, update: FlowUpdate, named: Identity | None) -> bool:
            nonlocal looked_up
            looked_up += 1
            return super()._stands(update, named)

    collection = Collection(range(3000), before_page={3: removing(0)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(joining, "Seen", Counted)
        assert await walked(one_time, page_size=500) == list(range(3000))
    assert len(collection.asked) == 8
    assert looked_up < 4 * 3000


async def test_where_all_times_change_identities_still_tell() -> None:
    async def other_times(request: PageRequest) -> FlowPage:
        page = await collection(request)
        time = datetime.fromtimestamp(1_800_000_000 + len(collection.asked), UTC)
        updates = tuple(evolve(update, timestamp=time) for update in page.updates)
        return evolve(page, updates=updates)

    collection = Collection(range(200))
    assert await walked(other_times) == list(range(200))
    # The first torn page shows it, and costs one request.
    assert len(collection.asked) == 20 + 1
