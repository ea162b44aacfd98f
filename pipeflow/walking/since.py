"""The part of a walk that happened since a moment, without reading all that was before."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from attrs import evolve

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from datetime import datetime

    from pipeflow.records import FlowPage, FlowUpdate

__all__ = ["OLDER_IN_A_ROW", "pages_since"]

OLDER_IN_A_ROW = 100
"""Updates before the moment, one after the other, at which the walk ends. The order is newest
first, but not strictly: an update further down than a hundred older ones is not found."""


async def pages_since(
    pages: AsyncGenerator[FlowPage, None], since: datetime
) -> AsyncGenerator[FlowPage, None]:
    """Yields the pages of a walk with what happened since a moment, and ends early.

    Planned activities come before everything else, with the time at which they are due: they end
    nothing. Like all others they are yielded when their time is not before `since`. An update
    without a time is yielded, too, as nobody knows.

    Args:
        pages: The walk, which is closed at the end.
        since: The aware moment.
    """
    older_in_a_row = 0
    async with aclosing(pages):
        async for page in pages:
            found = []
            for update in page.updates:
                if update.timestamp is None or update.timestamp >= since:
                    found.append(update)
                    older_in_a_row = 0
                elif not _is_planned(update):
                    older_in_a_row += 1
                    if older_in_a_row == OLDER_IN_A_ROW:
                        break
            if found:
                yield evolve(page, updates=tuple(found))
            if older_in_a_row == OLDER_IN_A_ROW:
                return


def _is_planned(update: FlowUpdate) -> bool:
    done = getattr(update.data, "done", None)
    if isinstance(update.data, dict):
        done = update.data.get("done")
    return update.object == "activity" and not done
