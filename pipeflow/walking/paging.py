"""From single pages to a walk: which page comes next, and how much of it is wanted.

It knows no connection and no clock: it is a loop over any `PageSource`. The words are those of
`seen` and `joining`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from pipeflow.walking.identity import identity
from pipeflow.walking.joining import Joining
from pipeflow.walking.plan import LARGEST_PAGE, PageRequest
from pipeflow.walking.standstill import Standstill

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence

    from pipeflow.records import FlowPage, FlowUpdate
    from pipeflow.walking.joining import Arrival, PageSource
    from pipeflow.walking.plan import WalkPlan

__all__ = ["LARGEST_OVERLAP", "first_request", "requests_after", "walk_pages"]

LARGEST_OVERLAP = 50
"""The most records that a page repeats. If as many in a row have no id, it repeats only one."""


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
    most = max(0, min(most, LARGEST_OVERLAP))
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


class _Walk:
    """What is still wanted of a walk, and where it goes on."""

    def __init__(self, source: PageSource, plan: WalkPlan) -> None:
        self._source = source
        self._left = plan
        self._joining = Joining(source, plan.start)
        self._standstill = Standstill()

    async def advance(self, request: PageRequest) -> tuple[list[FlowPage], PageRequest | None]:
        """What is new in the page asked for, and in those it took to join it; the next request."""
        arrivals = await self._joining.read(request)
        pages = [page for arrival in arrivals if (page := self._wanted_part(arrival)) is not None]
        request, page = arrivals[-1].request, arrivals[-1].page
        if page.next_start is not None:
            self._standstill.check(page, pages, page.next_start)
        left, barren = self._left, not pages
        await self._source.expect(requests_after(request, page, left, barren=barren))
        following = next(requests_after(request, page, left, barren=barren), None)
        self._joining.expect(request, page, following)
        return pages, following

    def _wanted_part(self, arrival: Arrival) -> FlowPage | None:
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
