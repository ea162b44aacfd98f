"""From single pages to a walk: which page comes next, where pages join, when to give up.

It knows no connection and no clock: it is a loop over any `PageSource`. `seen` defines *identity*,
*overlap* and *join*. Three more words are used here:

- A page is *torn* when it does not join what was read before.
- A page is *barren* when nothing in it is new.
- A record is *nameless* when the API gives it no id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from attrs import evolve, frozen

from pipeflow.errors import PaginationError, PipeflowError
from pipeflow.walking.plan import LARGEST_PAGE, PageRequest
from pipeflow.walking.seen import REMEMBERED_RECORDS, Seen, identity

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence

    from pipeflow.records import FlowPage, FlowUpdate
    from pipeflow.walking.plan import WalkPlan
    from pipeflow.walking.seen import Identity

__all__ = ["LARGEST_OVERLAP", "PageSource", "first_request", "requests_after", "walk_pages"]

LARGEST_OVERLAP = 50
"""The most records that a page repeats. If as many in a row have no id, it repeats only one."""

PATIENCE = 5
"""Barren pages in a row after which the walk may give up. More than one is legitimate: when many
records appear during a walk, pages shift by more than a page."""

MOST_TORN = 20
"""Torn pages in a row after which the history changes faster than it is read."""

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


def first_request(plan: WalkPlan) -> PageRequest:
    """The request that a walk begins with."""
    return PageRequest(plan.start, _limit(plan, 0, plan.max_items))


def requests_after(
    request: PageRequest, page: FlowPage, plan: WalkPlan, *, barren: bool = False
) -> Iterator[PageRequest]:
    """The request that follows a page, then those that will follow if nothing changes.

    Each page begins with the last record of the page before that has an id. The first request is
    the one to make; the others, without end, presume that pages go on being as full as this one,
    that no more records in a row have no id than in this one, and that the history is long enough.

    Args:
        request: What asked for the page.
        page: The page, with all its updates.
        plan: What the walk is for; its `max_items` is how many are wanted after this page.
        barren: Whether nothing in the page was new. The next one is then as large as can be, at
            the same cost.
    """
    if page.next_start is None or plan.max_items == 0:
        return
    span = page.next_start - request.start
    is_full = len(page.updates) >= request.limit
    overlap = 0
    if span <= len(page.updates):
        # From a server that clamps, no more comes next time either: some of it must be new.
        overlap = _overlap(page.updates[:span], span if is_full else span - 1)
    start = page.next_start - overlap
    wanted = plan.max_items
    limit = LARGEST_PAGE if barren else _limit(plan, overlap, wanted)
    yield PageRequest(start, limit)
    if span > len(page.updates):
        reach, overlap = span, 0  # the server leads further than it sends
    else:
        reach = limit if is_full else span
        longest = 1 + _longest_nameless_run(page.updates)
        if longest <= min(LARGEST_OVERLAP, reach // 2):
            overlap = longest
    while reach > overlap:
        start += reach - overlap
        if wanted is not None:
            wanted -= reach - overlap
            if wanted <= 0:
                return
        limit = _limit(plan, overlap, wanted)
        yield PageRequest(start, limit)
        if is_full:
            reach = limit


def _limit(plan: WalkPlan, overlap: int, wanted: int | None) -> int:
    new = plan.page_size if wanted is None else min(plan.page_size, wanted)
    return min(new + overlap, LARGEST_PAGE)


def _overlap(updates: Sequence[FlowUpdate], most: int) -> int:
    """By how many of these the next page goes back, to the last of them that has an id."""
    most = min(most, LARGEST_OVERLAP)
    from_end = (length for length in range(1, most + 1) if identity(updates[-length]) is not None)
    return next(from_end, min(most, 1))


def _longest_nameless_run(updates: Sequence[FlowUpdate]) -> int:
    longest = length = 0
    for update in updates:
        length = length + 1 if identity(update) is None else 0
        longest = max(longest, length)
    return longest


async def walk_pages(source: PageSource, plan: WalkPlan) -> AsyncGenerator[FlowPage, None]:
    """Yields page after page, each with the updates that are new, until the collection ends.

    A page is fetched only when the consumer asks for it, and pages without a new update are not
    yielded. `start` of a page is the offset of its first new update. Memory does not grow with
    the number of pages.

    Every page but the first repeats the last record with an id of the page before. Where a page
    does not begin with a known record, something may lie between: the walk goes back, by steps
    that double, to a page that does.

    Args:
        source: Where pages come from.
        plan: Where to begin, and how much to ask for.

    Raises:
        PaginationError: The collection does not advance, or changes faster than it is read, or
            nothing of what was read is there any more.
        PipeflowError: Whatever `source` raises, with `resume_start` set.
    """
    if plan.max_items == 0:
        return
    walk = _Walk(source, plan)
    request: PageRequest | None = first_request(plan)
    while request is not None:
        pages, request = await walk.advance(request)
        for page in pages:
            yield page


@frozen
class _Arrival:
    """A page that was read: what asked for it, and what in it is new."""

    request: PageRequest
    page: FlowPage
    fresh: tuple[FlowUpdate, ...]


class _Walk:
    """Reads each page and joins it to those before, going back where it does not."""

    def __init__(self, source: PageSource, plan: WalkPlan) -> None:
        self._source = source
        self._plan = plan
        self._left = plan
        self._seen = Seen()
        self._stuck = _StandstillCheck()
        self._end: int | None = None
        """Where the last page ended, None when the next one does not overlap it."""
        self._resume_start = plan.start
        self._torn = 0
        self._begun_anew = 0
        self._received: int | None = None
        """How many records the last page brought, None if as many as were asked for."""

    async def advance(self, request: PageRequest) -> tuple[list[FlowPage], PageRequest | None]:
        """What is new in the page asked for, and in those it took to join it; the next request."""
        arrivals = await self._joined(request)
        pages = [page for arrival in arrivals if (page := self._wanted_part(arrival)) is not None]
        request, page = arrivals[-1].request, arrivals[-1].page
        if page.next_start is not None:
            self._resume_start = page.next_start
            self._stuck.check(page, pages, page.next_start)
        left, barren = self._left, not pages
        self._received = len(page.updates) if len(page.updates) < request.limit else None
        await self._source.expect(requests_after(request, page, left, barren=barren))
        following = next(requests_after(request, page, left, barren=barren), None)
        self._end = page.next_start if following and _overlap_of(following, page) else None
        return pages, following

    def _wanted_part(self, arrival: _Arrival) -> FlowPage | None:
        page, fresh = arrival.page, arrival.fresh
        wanted = self._left.max_items
        if wanted is not None and len(fresh) > wanted:
            fresh = fresh[:wanted]
            page = evolve(page, more_items=True, next_start=page.start + wanted)
        if not fresh:
            return None
        if wanted is not None:
            self._left = evolve(self._left, max_items=wanted - len(fresh))
        if len(fresh) < len(page.updates):
            page = evolve(page, updates=fresh, start=fresh[0].offset)
        return page

    async def _joined(self, request: PageRequest) -> list[_Arrival]:
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

    async def _go_back(self, asked: PageRequest, torn: FlowPage, overlap: int) -> list[_Arrival]:
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
            if seen.is_joined_by(page.updates, read_end - start):
                break
            if self._plan.start > 0 and seen.stands_in(page.updates):
                break  # it begins before the walk's first record
            if start == 0:
                anchored = seen.has_ids and self._plan.start > 0
                if anchored or not seen.knows_any(page.updates):
                    return [await self._without_bearings(asked, torn, overlap, back, page)]
                break
            reach = min(2 * reach, reach + FURTHEST_STEP_BACK)
        from_head = start == 0 and self._plan.start == 0 and not seen.has_forgotten
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
            asked, torn = await self._fetch(asked, resume_start=asked.start)
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
    ) -> _Arrival:
        """What to read when the first page of the history holds nothing known."""
        repeated = page.updates[self._plan.start : asked.start + overlap] + torn.updates[:overlap]
        if not self._seen.has_ids and not any(map(identity, repeated)):
            # What was read has no id and cannot be recognised, but has not moved.
            self._seen.trust_offsets()
            return self._read(asked, torn, overlap)
        if self._plan.start == 0 and not self._seen.has_forgotten:
            self._begun_anew += 1
            if self._begun_anew <= PATIENCE:
                return self._read(back, page, 0, from_head=True)
        else:
            # More may have appeared than a page holds, so that what was read is further down.
            if self._seen.stands_in(torn.updates):
                return self._read(asked, torn, 0)
            # The torn page, and those under way, may be from before it appeared.
            await self._source.expect(iter(()))
            start = asked.start
            for _ in range(PATIENCE):
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
    ) -> _Arrival:
        return _Arrival(request, page, self._seen.read(page.updates, overlap, from_head=from_head))

    async def _fetch(self, request: PageRequest, resume_start: int) -> tuple[PageRequest, FlowPage]:
        try:
            return await self._source.fetch(request)
        except PipeflowError as error:
            error.resume_start = resume_start
            raise


class _StandstillCheck:
    """Tells a history that does not advance from one that has only shifted by many pages."""

    def __init__(self) -> None:
        self._yielded = 0
        self._reached = 0
        self._barren = 0
        self._same = 0
        self._latest: list[Identity | FlowUpdate] | None = None
        self._read_again = 0

    def check(self, page: FlowPage, yielded: Sequence[FlowPage], end: int) -> None:
        """Counts a page that claims that more follow, and what of it was yielded.

        Raises:
            PaginationError: Five pages in a row held nothing new, and they were the same page, or
                held more than twice of what was ever yielded.
        """
        advanced = end - self._reached
        self._reached = end
        if yielded:
            self._yielded += sum(len(page.updates) for page in yielded)
            self._barren = self._same = self._read_again = 0
            self._latest = None
            return
        names: list[Identity | FlowUpdate] = [identity(update) or update for update in page.updates]
        self._same = self._same + 1 if names == self._latest else 1
        self._latest = names
        self._barren += 1
        self._read_again += max(advanced, 0)
        most = 2 * min(self._yielded, 2 * REMEMBERED_RECORDS)
        if self._same >= PATIENCE or (self._barren >= PATIENCE and self._read_again > most):
            raise PaginationError(
                f"the collection does not advance: {self._barren} pages in a row up to offset "
                f"{end} held no new update, though each claimed that more follow",
                resume_start=end,
            )


def _overlap_of(following: PageRequest, page: FlowPage) -> int:
    return (page.next_start or 0) - following.start
