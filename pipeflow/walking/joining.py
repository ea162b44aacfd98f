"""Where pages join: reading a page, and going back when something may lie before it.

`seen` defines *overlap* and *join*. Three more words are used here:

- A page is *torn* when it does not join what was read before.
- A page is *barren* when nothing in it is new.
- A record is *nameless* when the API gives it no id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from attrs import frozen

from pipeflow.errors import PaginationError, PipeflowError
from pipeflow.walking.identity import identity
from pipeflow.walking.plan import LARGEST_PAGE, PageRequest
from pipeflow.walking.seen import REMEMBERED_RECORDS, Seen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeflow.records import FlowPage, FlowUpdate

__all__ = ["Arrival", "Joining", "PageSource"]

MOST_TORN = 20
"""Torn pages in a row after which the history changes faster than it is read."""

MOST_BEGINNINGS = 5
"""How often a walk begins anew, after which its place is lost; and how far it looks for it."""

LEAST_STEP_BACK = 25
"""A shorter step would cost as much."""

FURTHEST_STEP_BACK = REMEMBERED_RECORDS - LARGEST_PAGE
"""A longer step could leap over all that is remembered."""


class PageSource(Protocol):
    """Where pages come from. A walk asks for one page at a time."""

    async def fetch(self, request: PageRequest) -> tuple[PageRequest, FlowPage]:
        """The page at an offset, or one that begins a little before it, and what asked for it."""
        ...

    async def expect(self, requests: Iterator[PageRequest]) -> None:
        """Is told what will be asked for next, as far as that is known, before the walk goes on."""
        ...


@frozen
class Arrival:
    """A page that was read: what asked for it, and what in it is new."""

    request: PageRequest
    page: FlowPage
    fresh: tuple[FlowUpdate, ...]


class Joining:
    """Reads each page of a walk, and goes back where it does not join those before.

    Args:
        source: Where pages come from.
        start: The offset at which the walk begins.
    """

    def __init__(self, source: PageSource, start: int) -> None:
        self._source = source
        self._start = start
        self._seen = Seen()
        self._torn = 0
        self._begun_anew = 0
        self._end: int | None = None
        self._received: int | None = None
        self._resume_start = start

    def expect(self, request: PageRequest, page: FlowPage, following: PageRequest | None) -> None:
        """Is told where the last page ended, and what will be asked for next."""
        self._end = None
        if page.next_start is not None:
            self._resume_start = page.next_start
            if following is not None and following.start < page.next_start:
                self._end = page.next_start
        self._received = len(page.updates) if len(page.updates) < request.limit else None

    async def read(self, request: PageRequest) -> list[Arrival]:
        """The page asked for, after the one that it took to join it.

        Raises:
            PaginationError: The history changes faster than it is read, or nothing of what was
                read is there any more.
            PipeflowError: Whatever the source raises, with `resume_start` set.
        """
        asked, page = await self._fetch(request, self._resume_start)
        if self._end is None:
            return [self._read(asked, page, 0, from_head=True)]
        overlap = self._end - asked.start
        if self._seen.is_joined_by(page.updates, overlap):
            self._torn = 0
            return [self._read(asked, page, overlap)]
        self._torn += 1
        if self._torn > MOST_TORN:
            raise PaginationError(
                f"the history changes faster than it is read: {MOST_TORN} pages in a row up to "
                f"offset {asked.start} did not go on where the one before ended",
                resume_start=self._resume_start,
            )
        return await self._go_back(asked, page, overlap)

    async def _go_back(self, asked: PageRequest, torn: FlowPage, overlap: int) -> list[Arrival]:
        """The page with the record up to which the walk has come, and the torn one if it joins it.

        A removal has moved that record up. Or a record has appeared, the page before already shows
        it, and the torn one was fetched ahead, before it appeared: then that one is still good.
        """
        seen = self._seen
        read_end = asked.start + overlap
        reach = self._reach(asked)
        while True:
            start = max(0, asked.start - reach)
            limit = min(asked.start + asked.limit - start, LARGEST_PAGE)
            back, page = await self._fetch(PageRequest(start, limit), resume_start=start)
            seen.compare_places(page.updates)
            if seen.is_joined_by(page.updates, read_end - start):
                break
            if self._start > 0 and seen.stands_in(page.updates):
                break  # it begins before the walk's first record
            if start == 0:
                anchored = seen.has_ids and self._start > 0
                if anchored or not seen.knows_any(page.updates):
                    return [await self._without_bearings(asked, torn, overlap, back, page)]
                break
            reach = min(2 * reach, reach + FURTHEST_STEP_BACK)
        from_head = start == 0 and self._start == 0 and not seen.has_forgotten
        arrivals = [self._read(back, page, read_end - start, from_head=from_head)]
        end = start + len(page.updates)
        repeated = end - asked.start
        if page.next_start != end or repeated > len(torn.updates):
            return arrivals
        if not seen.is_joined_by(torn.updates, repeated):
            # Pages under way are of no more use than this one.
            await self._source.expect(iter(()))
            overlapping = page.updates[-max(repeated, 1) :]
            nameless = not any(map(identity, overlapping))
            if seen.contents_last or repeated < 0 or not nameless:
                return arrivals
            # What both hold cannot be recognised, but it has not moved.
            asked, torn = await self._fetch(asked, resume_start=start)
            seen.trust_offsets()
        return [*arrivals, self._read(asked, torn, repeated, from_head=True)]

    def _reach(self, asked: PageRequest) -> int:
        """How far to go back at first, so that the page also reaches beyond the torn one's start.

        By half of what a page brings, where that is less than was asked for.
        """
        if self._received is not None:
            return max(self._received // 2, 1)
        return max(asked.limit // 2, LEAST_STEP_BACK)

    async def _without_bearings(
        self,
        asked: PageRequest,
        torn: FlowPage,
        overlap: int,
        back: PageRequest,
        page: FlowPage,
    ) -> Arrival:
        """What to read when the first page of the history holds nothing known."""
        repeated = page.updates[self._start : asked.start + overlap] + torn.updates[:overlap]
        if not self._seen.has_ids and not any(map(identity, repeated)):
            # What was read has no id and cannot be recognised, but has not moved.
            self._seen.trust_offsets()
            return self._read(asked, torn, overlap)
        if self._start == 0 and not self._seen.has_forgotten:
            self._begun_anew += 1
            if self._begun_anew <= MOST_BEGINNINGS:
                return self._read(back, page, 0, from_head=True)
        else:
            # More may have appeared than a page holds, so that what was read is further down.
            if self._seen.stands_in(torn.updates):
                return self._read(asked, torn, 0)
            # The torn page, and those under way, may be from before it appeared.
            await self._source.expect(iter(()))
            start = asked.start
            for _ in range(MOST_BEGINNINGS):
                further = PageRequest(start, LARGEST_PAGE)
                asked, torn = await self._fetch(further, resume_start=0)
                if self._seen.stands_in(torn.updates):
                    return self._read(asked, torn, 0)
                if not torn.updates:
                    break
                start = asked.start + len(torn.updates)
        raise PaginationError(
            "the walk has lost its place: nothing of what it has read is in the history any more",
            resume_start=0,
        )

    def _read(
        self, request: PageRequest, page: FlowPage, overlap: int, *, from_head: bool = False
    ) -> Arrival:
        return Arrival(request, page, self._seen.read(page.updates, overlap, from_head=from_head))

    async def _fetch(self, request: PageRequest, resume_start: int) -> tuple[PageRequest, FlowPage]:
        try:
            return await self._source.fetch(request)
        except PipeflowError as error:
            error.resume_start = resume_start
            raise
