"""From single pages to a walk: which page comes next, what a page repeats, when to give up.

Knows no connection and no clock: it is a loop over any `fetch_page(start, limit)`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import evolve

from pipeflow.errors import PaginationError, PipeflowError
from pipeflow.walking.plan import LARGEST_PAGE

if TYPE_CHECKING:
    from pipeflow.records import FlowPage, FlowUpdate

__all__ = ["FetchPage", "page_limit", "walk_pages"]

FetchPage: TypeAlias = Callable[[int, int], "Coroutine[Any, Any, FlowPage]"]
"""Fetches the page at an offset, with at most so many updates."""

MOST_BARREN_PAGES = 5
"""Pages in a row without one new update, after which the collection does not advance. More than
one is legitimate: when many updates appear during a walk, pages shift by more than a page."""

REMEMBERED_UPDATES = 2 * LARGEST_PAGE
"""Among how many of the last updates a repeated one is looked for: two of the largest pages."""


async def walk_pages(
    fetch_page: FetchPage,
    *,
    start: int,
    page_size: int,
    max_items: int | None = None,
    detect_removals: bool = False,
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
        detect_removals: Whether each page begins with the last update of the one before, to see
            whether updates were removed meanwhile; then the walk goes back for those that moved up.
        on_shift: Awaited when a page repeats more than it was asked to, so that the collection has
            shifted since the page before; what was fetched ahead may stem from before the shift.

    Raises:
        PaginationError: Five pages in a row held nothing new though more was claimed.
        PipeflowError: Whatever `fetch_page` raises, with `resume_start` set.
    """
    joint = _Joint(fetch_page, start, detect_removals=detect_removals, on_shift=on_shift)
    wanted = max_items
    barren_pages = 0
    while wanted is None or wanted > 0:
        page, fresh = await joint.next_page(start, page_size, wanted)
        if wanted is not None:
            if len(fresh) > wanted:
                fresh = fresh[:wanted]
                page = evolve(page, more_items=True, next_start=fresh[-1].offset + 1)
            wanted -= len(fresh)
        if fresh:
            barren_pages = 0
            yield page if fresh == page.updates else evolve(page, updates=fresh)
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


def page_limit(page_size: int, wanted: int | None, overlap: int) -> int:
    """How many updates to ask for, so that as many as are wanted are new."""
    new = page_size if wanted is None else min(page_size, wanted)
    return min(new + overlap, LARGEST_PAGE)


class _Joint:
    """Fetches each page and joins it to those before, going back where the seam is torn."""

    def __init__(
        self,
        fetch_page: FetchPage,
        first: int,
        *,
        detect_removals: bool,
        on_shift: Callable[[], Awaitable[None]] | None,
    ) -> None:
        self._fetch_page = fetch_page
        self._first = first
        self._detect_removals = detect_removals
        self._on_shift = on_shift
        self._seam = Seam(from_head=first == 0)
        self._overlap = 0
        self._received = 0

    async def next_page(
        self, start: int, page_size: int, wanted: int | None
    ) -> tuple[FlowPage, tuple[FlowUpdate, ...]]:
        """The page that goes on at an offset, and its updates that are new."""
        overlap = self._overlap
        self._overlap = int(self._detect_removals)
        limit = page_limit(page_size, wanted, overlap)
        page = await self._fetch(start - overlap, limit, resume_start=start)
        if overlap and not self._seam.touches(page.updates):
            before = await self._go_back(start - overlap, limit)
            fresh = self._seam.join_unknown(before.updates)
            if not page.updates or page.updates[0] not in before.updates:
                return before, fresh
            # The page further down goes on where this one ends: no need to ask for it again.
            return page, fresh + self._seam.join_unknown(page.updates)
        self._received = len(page.updates)
        join = self._seam.join_unknown if overlap else self._seam.join
        fresh = join(page.updates)
        if self._on_shift is not None and len(fresh) + overlap < len(page.updates):
            await self._on_shift()
        return page, fresh

    async def _go_back(self, start: int, limit: int) -> FlowPage:
        """The page with the place up to which the walk has come, which is further up now.

        It goes back by as much as a page brings, which may be less than was asked for.
        """
        reach = max(1, min(limit, self._received) - 1)
        while True:
            start = max(self._first, start - reach)
            page = await self._fetch(start, limit, resume_start=start)
            if start == self._first or self._seam.knows_any(page.updates):
                return page
            reach *= 2

    async def _fetch(self, start: int, limit: int, *, resume_start: int) -> FlowPage:
        try:
            return await self._fetch_page(start, limit)
        except PipeflowError as error:
            error.resume_start = resume_start
            raise


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
        self._remember(fresh)
        return fresh

    def touches(self, page: Sequence[FlowUpdate]) -> bool:
        """Whether a page that should begin with the last update yielded begins with a known one."""
        return bool(page) and self._knows(page[0])

    def knows_any(self, page: Sequence[FlowUpdate]) -> bool:
        """Whether one of a page's updates was yielded."""
        return len(self._unknown(page)) < len(page)

    def join_unknown(self, page: Sequence[FlowUpdate]) -> tuple[FlowUpdate, ...]:
        """The updates of a page that are not among those remembered, wherever they stand."""
        fresh = self._unknown(page)
        self._remember(fresh)
        return fresh

    def _remember(self, fresh: tuple[FlowUpdate, ...]) -> None:
        self._known += fresh
        if len(self._known) > REMEMBERED_UPDATES:
            self._known = self._known[-REMEMBERED_UPDATES:]
            self._from_head = False

    def _fresh(self, page: tuple[FlowUpdate, ...]) -> tuple[FlowUpdate, ...]:
        known = self._known
        if self._from_head and known and known[0] in page:
            appeared = page.index(known[0])
            self._overtaken |= page[appeared:] == known[: len(page) - appeared]
        if self._overtaken:
            # More has appeared than a page holds: known updates come once more, out of their
            # place among those yielded.
            return self._unknown(page)
        if not page or not self._knows(page[0]):
            return page
        repeated = _overlap(known, page)
        if not repeated and _contains_run(known, page):
            repeated = len(page)
        return page[repeated:]

    def _knows(self, update: FlowUpdate) -> bool:
        timestamp = update.timestamp
        return any(known.timestamp == timestamp and known == update for known in self._known)

    def _unknown(self, page: Sequence[FlowUpdate]) -> tuple[FlowUpdate, ...]:
        known_times = {known.timestamp for known in self._known}
        return tuple(
            update
            for update in page
            if update.timestamp not in known_times or not self._knows(update)
        )


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
