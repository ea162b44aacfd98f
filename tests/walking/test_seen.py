"""Where pages join: what they repeat, and going back when records were removed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pipeflow.errors import PaginationError
from pipeflow.records import FlowPage, FlowUpdate
from pipeflow.walking.paging import REMEMBERED_UPDATES, walk_pages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeflow.walking.paging import FetchPage


def page(numbers: Sequence[int], start: int, *, more: bool, seconds_apart: int = 1) -> FlowPage:
    updates = tuple(
        FlowUpdate(
            object="note",
            timestamp=datetime.fromtimestamp(1_800_000_000 - seconds_apart * number, UTC),
            data={"id": number},
            offset=start + place,
        )
        for place, number in enumerate(numbers)
    )
    return FlowPage(
        updates=updates,
        start=start,
        page_size=len(updates),
        more_items=more,
        next_start=start + len(updates) if more else None,
    )


def scripted(*pages: Sequence[int], seconds_apart: int = 1) -> FetchPage:
    """Serves these pages one after another, whatever is asked for."""
    left = list(pages)

    async def fetch_page(start: int, limit: int) -> FlowPage:
        return page(left.pop(0), start, more=bool(left), seconds_apart=seconds_apart)

    return fetch_page


def number_of(update: FlowUpdate) -> int:
    assert isinstance(update.data, dict)
    return int(update.data["id"])


async def numbers(
    fetch_page: FetchPage, *, start: int = 0, page_size: int = 2, max_items: int | None = None
) -> list[int]:
    walk = walk_pages(fetch_page, start=start, page_size=page_size, max_items=max_items)
    return [number_of(update) async for page in walk for update in page.updates]


async def test_the_very_last_wanted_update_is_fetched() -> None:
    assert await numbers(scripted([0, 1], [2, 3]), max_items=3) == [0, 1, 2]


async def test_an_update_like_the_first_one_does_not_repeat_it() -> None:
    assert await numbers(scripted([0, 1], [0, 2])) == [0, 1, 0, 2]


async def test_a_walk_from_the_middle_is_not_overtaken() -> None:
    assert await numbers(scripted([0, 1], [2, 0]), start=10) == [0, 1, 2, 0]


async def test_a_run_is_known_as_long_as_it_is_remembered() -> None:
    walked = [range(at, at + 500) for at in (0, 500, 1000)]
    again = range(1500 - REMEMBERED_UPDATES + 100, 1500 - REMEMBERED_UPDATES + 600)
    fetch_page = scripted(*walked, again, [1500])
    assert await numbers(fetch_page, page_size=500) == list(range(1501))


async def test_after_a_long_walk_the_first_remembered_update_is_not_its_head() -> None:
    walked = [range(at, at + 500) for at in (0, 500, 1000)]
    like_one = 1500 - REMEMBERED_UPDATES
    fetch_page = scripted(*walked, [9000, like_one])
    assert (await numbers(fetch_page, page_size=500))[-2:] == [9000, like_one]


async def test_two_of_the_largest_pages_are_remembered() -> None:
    assert REMEMBERED_UPDATES == 1000
    walked = [range(500), range(500, 1000)]
    # The head is known as long as no more than that was walked: here, 9000 has appeared before it.
    assert (await numbers(scripted(*walked, [9000, 0]), page_size=500))[1000:] == [9000]
    walked = [range(500), range(500, 1000), range(1000, 1001)]
    assert (await numbers(scripted(*walked, [9000, 0]), page_size=500))[1001:] == [9000, 0]


async def test_a_run_that_is_no_longer_remembered_is_new() -> None:
    walked = [range(500), range(500, 1000), range(1000, 1001)]
    assert (await numbers(scripted(*walked, [0, 1]), page_size=500))[1001:] == [0, 1]
    assert (await numbers(scripted(*walked, [1, 2]), page_size=500))[1001:] == []


async def test_what_has_the_same_time_is_not_the_same() -> None:
    """As after an import, when hundreds of updates have one time."""
    fetch_page = scripted([0, 1], [100, 101, 0], [1, 2], [3], seconds_apart=0)
    assert await numbers(fetch_page, page_size=2) == [0, 1, 100, 101, 2, 3]


async def test_a_removal_is_noticed_where_all_have_the_same_time() -> None:
    collection = list(range(12))

    async def fetch_page(start: int, limit: int) -> FlowPage:
        if start == 4:
            collection.remove(1)
        more = start + limit < len(collection)
        return page(collection[start : start + limit], start, more=more, seconds_apart=0)

    walk = walk_pages(fetch_page, start=0, page_size=5, detect_removals=True)
    assert [number_of(update) async for page in walk for update in page.updates] == list(range(12))


async def test_the_way_back_is_one_step_where_pages_bring_one_update() -> None:
    collection = list(range(30))
    asked: list[tuple[int, int]] = []

    async def fetch_page(start: int, limit: int) -> FlowPage:
        limit = min(limit, 3 if len(asked) < 3 else 1)
        if len(asked) == 4:
            collection.remove(0)
        asked.append((start, limit))
        more = start + limit < len(collection)
        return page(collection[start : start + limit], start, more=more)

    walk = walk_pages(fetch_page, start=0, page_size=2, detect_removals=True)
    with pytest.raises(PaginationError):  # a page that repeats one brings nothing
        async for _ in walk:
            pass
    assert asked[3:6] == [(5, 1), (5, 1), (4, 1)]


@pytest.mark.parametrize(
    ("pages", "lengths", "shifts"),
    [
        ([[0, 1], [1, 2, 3, 4], [3, 4, 5]], [2, 3, 1], 1),
        ([[0, 1], [0, 1, 2, 3], [3, 4]], [2, 2, 1], 1),
        ([[0, 1], [1, 2, 3, 4], [4, 5]], [2, 3, 1], 0),
    ],
)
async def test_an_overlap_alone_is_no_shift(
    pages: list[list[int]], lengths: list[int], shifts: int
) -> None:
    heard: list[None] = []

    async def on_shift() -> None:
        heard.append(None)

    walk = walk_pages(
        scripted(*pages), start=0, page_size=3, detect_removals=True, on_shift=on_shift
    )
    assert [len(page.updates) async for page in walk] == lengths
    assert len(heard) == shifts


async def test_going_back_doubles_its_steps() -> None:
    collection = list(range(40))
    asked: list[int] = []

    async def fetch_page(start: int, limit: int) -> FlowPage:
        if len(asked) == 10:
            del collection[:12]
        asked.append(start)
        more = start + limit < len(collection)
        return page(collection[start : start + limit], start, more=more)

    walk = walk_pages(fetch_page, start=0, page_size=2, detect_removals=True)
    got = [number_of(update) async for page in walk for update in page.updates]
    assert got == list(range(40))
    assert asked[10:14] == [19, 17, 13, 5]
