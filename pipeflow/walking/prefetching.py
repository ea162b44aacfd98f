"""Pages fetched ahead of the walk that will ask for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from pipeflow.records import FlowPage
from pipeflow.walking.paging import page_limit, walk_pages

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from types import TracebackType
    from typing import Self

__all__ = ["DecodeAnswer", "FetchAnswer", "PagesAhead", "walk_pages_ahead"]

AnswerT = TypeVar("AnswerT")

FetchAnswer: TypeAlias = Callable[[int, int], Coroutine[Any, Any, AnswerT]]
"""Fetches the answer with the page at an offset, of at most so many updates."""

DecodeAnswer: TypeAlias = Callable[[AnswerT, int], FlowPage]
"""Makes a page of the answer that was fetched for an offset."""


async def walk_pages_ahead(
    fetch_answer: FetchAnswer[AnswerT],
    decode_answer: DecodeAnswer[AnswerT],
    *,
    start: int,
    page_size: int,
    max_items: int | None = None,
    prefetch: int = 0,
    detect_removals: bool = False,
) -> AsyncGenerator[FlowPage, None]:
    """As `walk_pages`, with up to `prefetch` pages under way ahead of the consumer.

    However the walk ends, nothing of it is under way any more when it has ended.
    """
    ahead = PagesAhead(
        fetch_answer,
        decode_answer,
        depth=prefetch,
        page_size=page_size,
        max_items=max_items,
        overlap=int(detect_removals),
    )
    walk = walk_pages(
        ahead,
        start=start,
        page_size=page_size,
        max_items=max_items,
        detect_removals=detect_removals,
        on_shift=ahead.drop,
    )
    async with ahead, aclosing(walk) as pages:
        async for page in pages:
            yield page


class PagesAhead(Generic[AnswerT]):
    """A `fetch_page` that has the next pages under way when it is asked for them.

    Offsets are foreseen from the stride of the page before: the distance to where it says the
    next one starts. The more pages have confirmed it, the more are under way: 2, 4, 8 and so on up
    to `depth`. A page that is asked for elsewhere than foreseen is fetched anew, and all
    foreseen ones are dropped. So no more than `depth` pages are held, at most `depth` - 1 requests
    fall beyond the end, and none does for a history of one page.

    An answer is decoded when its turn comes. When several come at the same time, decoding them all
    would hold up the requests that follow; and as bytes they take less memory than as records.

    An async context manager: on leaving, whatever is still under way is cancelled and awaited.

    Args:
        fetch_answer: Fetches one page's answer; called from several tasks at once.
        decode_answer: Makes a page of it; called for the pages that are asked for, in their order.
        depth: Pages under way ahead of the one last asked for, at the most; 0 for none.
        page_size: Updates that a page will be asked for, unless fewer are wanted.
        max_items: The most updates that will be asked for in total, or None.
        overlap: By how many updates each page will be asked to repeat the one before.
    """

    def __init__(
        self,
        fetch_answer: FetchAnswer[AnswerT],
        decode_answer: DecodeAnswer[AnswerT],
        *,
        depth: int,
        page_size: int,
        max_items: int | None,
        overlap: int,
    ) -> None:
        self._fetch_answer = fetch_answer
        self._decode_answer = decode_answer
        self._depth = depth
        self._page_size = page_size
        self._wanted = max_items
        self._overlap = overlap
        self._ramp = 1
        self._begun = False
        self._ahead: dict[tuple[int, int], asyncio.Task[AnswerT]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.drop()

    async def __call__(self, start: int, limit: int) -> FlowPage:
        """The page at an offset; the next ones are under way when it returns."""
        page = self._decode_answer(await self._answer(start, limit), start)
        await self._look_ahead(page, start, limit)
        return page

    async def drop(self) -> None:
        """Forgets all that is under way, as when the collection has shifted meanwhile.

        Of two requests under way the later page can be answered first: from before a shift that
        the earlier one already shows. The update between them would be lost.
        """
        await self._cancel(list(self._ahead))

    async def _answer(self, start: int, limit: int) -> AnswerT:
        key = (start, limit)
        if key not in self._ahead:
            await self.drop()
            return await self._fetch_answer(start, limit)
        # Cancelling this await cancels the task as well.
        answer = await self._ahead[key]
        del self._ahead[key]
        return answer

    async def _look_ahead(self, page: FlowPage, start: int, limit: int) -> None:
        if self._wanted is not None:
            self._wanted -= len(page.updates) - (self._overlap if self._begun else 0)
        self._begun = True
        foreseen = self._foreseen(page, start, limit)
        await self._cancel([key for key in self._ahead if key not in foreseen])
        begun = [key for key in foreseen if key not in self._ahead]
        for key in begun:
            self._ahead[key] = asyncio.create_task(self._fetch_answer(*key))
        if begun:
            # Off they go. While answers are at hand, nothing else gives the event loop a turn.
            await asyncio.sleep(0)

    def _foreseen(self, page: FlowPage, start: int, limit: int) -> list[tuple[int, int]]:
        if page.next_start is None or page.next_start - self._overlap <= start:
            return []
        next_start = page.next_start - self._overlap
        stride = next_start - start
        if page.next_start == start + limit:
            # A full page. Those that follow are full, too, and repeat what the first does not.
            stride = page_limit(self._page_size, None, self._overlap) - self._overlap
        self._ramp = min(2 * self._ramp, self._depth)
        foreseen = []
        for place in range(self._ramp):
            wanted = None if self._wanted is None else self._wanted - place * stride
            if wanted is None or wanted > 0:
                limit = page_limit(self._page_size, wanted, self._overlap)
                foreseen.append((next_start + place * stride, limit))
        return foreseen

    async def _cancel(self, keys: list[tuple[int, int]]) -> None:
        tasks = [self._ahead.pop(key) for key in keys]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)
