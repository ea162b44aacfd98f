"""The part of a walk that happened since a moment, without reading all that was before."""

from __future__ import annotations

from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING

from attrs import evolve

from pipeflow.codec.times import read_datetime

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from pipeflow.records import FlowPage, FlowUpdate

__all__ = ["OLDER_IN_A_ROW", "happened_since", "pages_since"]

OLDER_IN_A_ROW = 100
"""Updates before the moment, one after the other, at which the walk ends. The order is newest
first, but not strictly: an update further down than a hundred older ones is not found."""

_ACTIVITY_TIMES = ("add_time", "marked_as_done_time")


async def pages_since(
    pages: AsyncGenerator[FlowPage, None], since: datetime, *, most: int | None = None
) -> AsyncGenerator[FlowPage, None]:
    """Yields the pages of a walk with what happened since a moment, and ends early.

    Activities that are not done come before everything else, whenever they are due: they never
    count towards the end.

    Args:
        pages: The walk, which is closed at the end.
        since: The aware moment.
        most: The most updates to yield in total; None means no limit.
    """
    older_in_a_row = 0
    async with aclosing(pages):
        if most == 0:
            return
        async for page in pages:
            found: list[FlowUpdate] = []
            for update in page.updates:
                if happened_since(update, since):
                    found.append(update)
                    older_in_a_row = 0
                elif not update.is_planned:
                    older_in_a_row += 1
                if older_in_a_row == OLDER_IN_A_ROW or len(found) == most:
                    break
            if found:
                yield _part(page, found, is_cut=len(found) == most)
            if older_in_a_row == OLDER_IN_A_ROW or len(found) == most:
                return
            if most is not None:
                most -= len(found)


def happened_since(update: FlowUpdate, since: datetime) -> bool:
    """Whether an update happened at a moment or later.

    The time of an activity is when it is due, so it also counts when it was added, and when it was
    done. What has no time at all may have happened at any.
    """
    known = [] if update.timestamp is None else [update.timestamp]
    if update.object in {"activity", "plannedActivity"}:
        known += filter(None, (_time(update.data, name) for name in _ACTIVITY_TIMES))
    return not known or max(known) >= since


def _part(page: FlowPage, found: list[FlowUpdate], *, is_cut: bool) -> FlowPage:
    if len(found) == len(page.updates):
        return page
    page = evolve(page, updates=tuple(found), start=found[0].offset)
    if is_cut:
        return evolve(page, more_items=True, next_start=found[-1].offset + 1)
    return page


def _time(data: object, name: str) -> datetime | None:
    value = data.get(name) if isinstance(data, dict) else getattr(data, name, None)
    if isinstance(value, str):
        try:
            return read_datetime(value)
        except ValueError:
            return None
    return value if isinstance(value, datetime) else None
