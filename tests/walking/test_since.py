"""The part of a walk that happened since a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pipeflow.records import Activity, FlowPage, FlowUpdate, Note
from pipeflow.walking.since import OLDER_IN_A_ROW, happened_since, pages_since

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.conftest import Wrong

SINCE = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def note(id: int, age: int) -> FlowUpdate:
    """A note so many minutes older than the moment; younger with an age below 0."""
    return FlowUpdate(object="note", timestamp=SINCE - age * MINUTE, data=Note(id=id))


def activity(due: int, **fields: Wrong) -> FlowUpdate:
    return FlowUpdate(object="activity", timestamp=SINCE + due * MINUTE, data=Activity(**fields))


class Walk:
    """A walk over updates in pages, that counts what was asked for and hears of its end."""

    def __init__(self, *updates: FlowUpdate, page_size: int = 50) -> None:
        self.updates = updates
        self.page_size = page_size
        self.pages_asked = 0
        self.closed = False

    async def pages(self) -> AsyncGenerator[FlowPage, None]:
        try:
            for start in range(0, len(self.updates), self.page_size):
                self.pages_asked += 1
                end = start + self.page_size
                more = end < len(self.updates)
                yield FlowPage(
                    updates=tuple(
                        FlowUpdate(
                            object=update.object,
                            timestamp=update.timestamp,
                            data=update.data,
                            offset=start + place,
                        )
                        for place, update in enumerate(self.updates[start:end])
                    ),
                    start=start,
                    more_items=more,
                    next_start=end if more else None,
                )
        finally:
            self.closed = True

    async def since(self, *, most: int | None = None) -> list[FlowPage]:
        return [page async for page in pages_since(self.pages(), SINCE, most=most)]

    async def offsets(self, *, most: int | None = None) -> list[int]:
        pages = await self.since(most=most)
        return [update.offset for page in pages for update in page.updates]


async def test_the_moment_itself_belongs_to_it() -> None:
    assert await Walk(note(1, -1), note(2, 0), note(3, 1)).offsets() == [0, 1]


async def test_the_walk_ends_after_a_hundred_older_ones_in_a_row() -> None:
    walk = Walk(*(note(number, age=number) for number in range(1000)), page_size=50)
    assert await walk.offsets() == [0]
    assert walk.pages_asked == 3  # the one, and 100 older ones
    assert walk.closed


@pytest.mark.parametrize(("older", "is_found"), [(99, True), (100, False)])
async def test_what_is_out_of_order_is_found_within_the_margin(
    older: int, *, is_found: bool
) -> None:
    assert OLDER_IN_A_ROW == 100
    updates = [*(note(number, age=5) for number in range(older)), note(999, -5)]
    assert await Walk(*updates, page_size=7).offsets() == ([older] if is_found else [])


async def test_what_is_found_begins_the_count_anew() -> None:
    old = [note(number, age=5) for number in range(99)]
    walk = Walk(*old, note(1000, -1), *old, note(1001, -1), *old, page_size=500)
    assert await walk.offsets() == [99, 199]


async def test_planned_activities_end_nothing_whenever_they_are_due() -> None:
    overdue = [activity(-number, id=number, done=False) for number in range(1, 300)]
    walk = Walk(*overdue, note(1, -1), note(2, 1), page_size=20)
    assert await walk.offsets() == [299]


async def test_planned_activities_do_not_begin_the_count_anew_either() -> None:
    old = [note(number, age=5) for number in range(50)]
    walk = Walk(*old, activity(-5, id=1, done=False), *old, note(1, -5))
    assert await walk.offsets() == []


@pytest.mark.parametrize(
    ("update", "belongs"),
    [
        (activity(0, done=False), True),
        (activity(-1, done=False), False),
        (activity(-90, done=False, add_time=SINCE), True),
        (activity(-90, done=False, add_time=SINCE - MINUTE), False),
        (activity(-90, done=True, marked_as_done_time=SINCE + MINUTE), True),
        (activity(-90, done=True, marked_as_done_time=SINCE - MINUTE), False),
        (FlowUpdate(object="activity", timestamp=SINCE - MINUTE, data={"add_time": "nonsense"}), 0),
        (
            FlowUpdate(
                object="plannedActivity",
                timestamp=SINCE - MINUTE,
                data={"done": False, "add_time": "2026-05-04 10:00:00"},
            ),
            True,
        ),
        (FlowUpdate(object="note", timestamp=SINCE - MINUTE, data=Note(add_time=SINCE)), False),
        (FlowUpdate(object="note", timestamp=None, data=Note(id=1)), True),
    ],
)
def test_what_happened_since(update: FlowUpdate, *, belongs: bool) -> None:
    assert happened_since(update, SINCE) is bool(belongs)


async def test_a_page_holds_what_belongs_to_it_and_begins_there() -> None:
    old = [note(number, age=1) for number in range(3)]
    walk = Walk(*old, note(7, 0), *old, note(8, 0), *old, page_size=10)
    [page] = await walk.since()
    assert [update.offset for update in page.updates] == [3, 7]
    assert (page.start, page.more_items, page.next_start) == (3, True, 10)


async def test_a_page_that_belongs_to_it_wholly_is_the_page_itself() -> None:
    [page] = await Walk(note(1, 0), note(2, 0)).since()
    assert (page.start, len(page.updates), page.next_start) == (0, 2, None)


async def test_no_more_than_the_most_are_yielded_and_the_page_leads_to_the_rest() -> None:
    walk = Walk(note(0, 1), note(1, 0), note(2, 1), note(3, 0), note(4, 0), page_size=2)
    pages = await walk.since(most=2)
    assert [(page.start, page.next_start) for page in pages] == [(1, 2), (3, 4)]
    assert walk.pages_asked == 2
    [page] = await Walk(note(0, 0), note(1, 0), note(2, 0)).since(most=1)
    assert (len(page.updates), page.more_items, page.next_start) == (1, True, 1)


async def test_nothing_is_asked_for_when_none_are_wanted() -> None:
    walk = Walk(note(1, 0))
    assert await walk.offsets(most=0) == []
    assert walk.pages_asked == 0
