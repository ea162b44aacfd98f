"""From single pages to a walk: which page comes next, what a page repeats, when to give up.

Knows no connection and no clock: it is a loop over any `fetch_page(start, limit)`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import evolve

from pipeflow.errors import PaginationError, PipeflowError

if TYPE_CHECKING:
    from pipeflow.records import FlowPage, FlowUpdate

__all__ = ["FetchPage", "walk_pages"]

FetchPage: TypeAlias = Callable[[int, int], "Coroutine[Any, Any, FlowPage]"]
"""Fetches the page at an offset, with at most so many updates."""

MOST_BARREN_PAGES = 5
"""Pages in a row without one new update, after which the collection does not advance. More than
one is legitimate: when many updates appear during a walk, pages shift by more than a page."""

REMEMBERED_UPDATES = 1000
"""Among how many of the last updates a repeated one is looked for: two of the largest pages."""


async def walk_pages(
    fetch_page: FetchPage,
    *,
    start: int,
    page_size: int,
    max_items: int | None = None,
    on_shift: Callable[[], Awaitable[None]] | None = None,
) -> AsyncGenerator[FlowPage, None]:
    """Yields page after page, each with the updates that are new, until the collection ends.

    A page is fetched only when the consumer asks for it. Pages without a new update are not
    yielded. Memory does not grow with the number of pages.

    Args:
        fetch_page: Called with `start` and `limit`, one call at a time.
        start: The offset of the first update.
        page_size: Updates asked for per page.
        max_items: The most updates to yield in total; no page asks for more than is wanted.
        on_shift: Awaited when a page repeats known updates, so that the collection has shifted
            since the page before; what was fetched ahead may stem from before the shift.

    Raises:
        PaginationError: Five pages in a row held nothing new though more was claimed.
        PipeflowError: Whatever `fetch_page` raises, with `resume_start` set.
    """
    wanted = max_items
    seam = Seam(from_head=start == 0)
    barren_pages = 0
    while wanted is None or wanted > 0:
        limit = page_size if wanted is None else min(page_size, wanted)
        try:
            page = await fetch_page(start, limit)
        except PipeflowError as error:
            error.resume_start = start
            raise
        fresh = seam.join(page.updates)
        if on_shift is not None and len(fresh) < len(page.updates):
            await on_shift()
        if wanted is not None:
            if len(fresh) > wanted:
                fresh = fresh[:wanted]
                page = evolve(page, more_items=True, next_start=fresh[-1].offset + 1)
            wanted -= len(fresh)
        if fresh:
            barren_pages = 0
            yield page if len(fresh) == len(page.updates) else evolve(page, updates=fresh)
        elif page.more_items:
            barren_pages += 1
            if barren_pages == MOST_BARREN_PAGES:
                raise PaginationError(
                    f"the collection does not advance: {barren_pages} pages in a row up to "
                    f"offset {start} held no new update, though each claimed that more follow",
                    resume_start=start,
                )
        if page.next_start is None:
            return
        start = page.next_start


class Seam:
    """Joins pages of a collection that may have grown at its head since the last page.

    The API has no snapshot: each update that appears shifts all others by one, so that the last
    one of a page returns as the first of the next. Only such a run across the seam is dropped;
    equal updates elsewhere are real.

    Args:
        from_head: The walk began at the collection's head, so what appears there can come in a
            later page before the walk's own first update.
    """

    def __init__(self, *, from_head: bool) -> None:
        self._from_head = from_head
        self._overtaken = False
        self._known: tuple[FlowUpdate, ...] = ()

    def join(self, page: Sequence[FlowUpdate]) -> tuple[FlowUpdate, ...]:
        """The updates of the next page that are new."""
        fresh = self._fresh(tuple(page))
        self._known += fresh
        if len(self._known) > REMEMBERED_UPDATES:
            self._known = self._known[-REMEMBERED_UPDATES:]
            self._from_head = False
        return fresh

    def _fresh(self, page: tuple[FlowUpdate, ...]) -> tuple[FlowUpdate, ...]:
        known = self._known
        if self._from_head and known and known[0] in page:
            appeared = page.index(known[0])
            self._overtaken |= page[appeared:] == known[: len(page) - appeared]
        if self._overtaken:
            # More has appeared than a page holds: known updates come once more, out of their
            # place among those yielded.
            return tuple(update for update in page if not self._knows(update))
        repeated = _overlap(known, page)
        if not repeated and page and _contains_run(known, page):
            repeated = len(page)
        return page[repeated:]

    def _knows(self, update: FlowUpdate) -> bool:
        return any(known.timestamp == update.timestamp and known == update for known in self._known)


def _overlap(known: Sequence[FlowUpdate], page: Sequence[FlowUpdate]) -> int:
    """How many updates at the end of `known` are the first ones of `page`, at the most."""
    for length in range(min(len(known), len(page)), 0, -1):
        if known[-length] == page[0] and tuple(known[-length:]) == tuple(page[:length]):
            return length
    return 0


def _contains_run(known: Sequence[FlowUpdate], page: Sequence[FlowUpdate]) -> bool:
    """Whether all of `page` stands in `known`, in one piece."""
    return any(
        known[place] == page[0] and tuple(known[place : place + len(page)]) == tuple(page)
        for place in range(len(known) - len(page) + 1)
    )
