"""Pages fetched ahead of the walk that will ask for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from pipeflow.records import FlowPage
from pipeflow.walking.paging import LARGEST_OVERLAP, walk_pages
from pipeflow.walking.plan import LARGEST_PAGE, PageRequest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Iterator
    from types import TracebackType
    from typing import Self

    from pipeflow.walking.plan import WalkPlan

__all__ = ["DecodeAnswer", "FetchAnswer", "Prefetcher", "walk_pages_ahead"]

AnswerT = TypeVar("AnswerT")

FetchAnswer: TypeAlias = Callable[[PageRequest], Coroutine[Any, Any, AnswerT]]
"""Fetches the answer with a page."""

DecodeAnswer: TypeAlias = Callable[[AnswerT, int], FlowPage]
"""Makes a page of the answer that was fetched for an offset."""


async def walk_pages_ahead(
    fetch_answer: FetchAnswer[AnswerT], decode_answer: DecodeAnswer[AnswerT], plan: WalkPlan
) -> AsyncGenerator[FlowPage, None]:
    """As `walk_pages`, with up to `plan.prefetch` pages under way ahead of the consumer.

    However the walk ends, no request of it is under way once it has ended.
    """
    source = Prefetcher(fetch_answer, decode_answer, depth=plan.prefetch)
    async with source, aclosing(walk_pages(source, plan)) as pages:
        async for page in pages:
            yield page


class Prefetcher(Generic[AnswerT]):
    """A `PageSource` that requests the next pages before it is asked for them.

    It takes the first of the requests that the walk expects to make. The more pages have confirmed
    them, the more are under way: 2, 4, 8 and so on up to `depth`. So no more than `depth` pages are
    held, at most `depth` - 1 requests fall beyond the end, and none does for a history of one page.

    Pages under way overlap, and the walk judges each by itself, so they stay useful when records
    appear or go meanwhile. They are dropped when the walk continues somewhere else.

    An answer is decoded when its turn comes. When several come at the same time, decoding them all
    would hold up the requests that follow; and as bytes they take less memory than as records.

    An async context manager: on leaving, whatever is still under way is cancelled and awaited.

    Args:
        fetch_answer: Fetches one page's answer; called from several tasks at once.
        decode_answer: Makes a page of it; called for the pages that are asked for, in their order.
        depth: The most pages under way ahead of the one last asked for; 0 for none.
    """

    def __init__(
        self,
        fetch_answer: FetchAnswer[AnswerT],
        decode_answer: DecodeAnswer[AnswerT],
        *,
        depth: int,
    ) -> None:
        self._fetch_answer = fetch_answer
        self._decode_answer = decode_answer
        self._depth = depth
        self._ramp = 1
        self._brings = LARGEST_PAGE
        """How many records a page brings, however many it is asked for."""
        self._ahead: dict[PageRequest, asyncio.Task[AnswerT]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._cancel(list(self._ahead))

    async def fetch(self, request: PageRequest) -> tuple[PageRequest, FlowPage]:
        """The page at an offset, or one under way that begins a little before it."""
        under_way = self._serving(request)
        if under_way is None:
            answer = await self._fetch_answer(request)
        else:
            request = under_way
            # Cancelling this await cancels the task as well.
            answer = await self._ahead[request]
            del self._ahead[request]
        page = self._decode_answer(answer, request.start)
        self._brings = len(page.updates) if len(page.updates) < request.limit else LARGEST_PAGE
        return request, page

    async def expect(self, requests: Iterator[PageRequest]) -> None:
        """Sends the first of these requests, unless they are under way already."""
        if self._depth == 0:
            return
        foreseen = list(islice(requests, min(2 * self._ramp, self._depth)))
        self._ramp = min(2 * self._ramp, self._depth) if foreseen else 1
        kept, begun = self._compare(foreseen)
        await self._cancel([request for request in self._ahead if request not in kept])
        begun = begun[: self._depth - len(kept)]
        for request in begun:
            self._ahead[request] = asyncio.create_task(self._fetch_answer(request))
        if begun:
            # Lets them start: while answers are at hand, nothing else gives the event loop a turn.
            await asyncio.sleep(0)

    def _compare(self, foreseen: list[PageRequest]) -> tuple[list[PageRequest], list[PageRequest]]:
        """Which requests under way to keep, and which of those foreseen to send."""
        if not foreseen:
            return [], []
        first = foreseen[0]
        serving = self._serving(first)
        start = first.start if serving is None else serving.start
        kept = [request for request in self._ahead if request.start >= start]
        if serving is None and not any(
            request.start < first.start + self._span(first) for request in kept
        ):
            return [], foreseen  # the walk goes on elsewhere, or its pages have become shorter
        if serving is not None and serving.limit != first.limit:
            return kept, []  # where the next ones begin is known only once it has come
        end = max(request.start + (self._span(request) - 1) // 2 for request in kept)
        begun = [] if serving else [first]
        return kept, begun + [request for request in foreseen if request.start > end]

    def _serving(self, request: PageRequest) -> PageRequest | None:
        """The request under way whose page also serves this one, if there is one."""
        serving = [
            other
            for other in self._ahead
            if 0 <= (earlier := request.start - other.start) < LARGEST_OVERLAP
            and (earlier == 0 or earlier + 1 < self._span(other))
        ]
        return max(serving, key=lambda other: other.start, default=None)

    def _span(self, request: PageRequest) -> int:
        """How many records a page will hold."""
        return min(request.limit, self._brings)

    async def _cancel(self, requests: Iterable[PageRequest]) -> None:
        tasks = [self._ahead.pop(request) for request in requests]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)
