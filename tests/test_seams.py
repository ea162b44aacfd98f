"""Where pages join: what they repeat, and going back when records were removed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeflow.paging import REMEMBERED_UPDATES, walk_pages
from pipeflow.records import FlowPage, FlowUpdate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeflow.paging import FetchPage


def page(numbers: Sequence[int], start: int, *, more: bool) -> FlowPage:
    updates = tuple(
        FlowUpdate(
            object="note",
            timestamp=datetime.fromtimestamp(1_800_000_000 - number, UTC),
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


def scripted(*pages: Sequence[int]) -> FetchPage:
    """Serves these pages one after another, whatever is asked for."""
    left = list(pages)

    async def fetch_page(start: int, limit: int) -> FlowPage:
        return page(left.pop(0), start, more=bool(left))

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


async def test_an_overlap_alone_is_no_shift() -> None:
    shifts: list[int] = []

    async def on_shift() -> None:
        shifts.append(len(shifts))

    walk = walk_pages(
        scripted([0, 1], [1, 2, 3, 4], [3, 4, 5]),
        start=0,
        page_size=3,
        detect_removals=True,
        on_shift=on_shift,
    )
    assert [len(page.updates) async for page in walk] == [2, 3, 1]
    assert shifts == [0]


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
