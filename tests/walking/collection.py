"""Collections of numbered notes, and walks over them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from pipeflow.records import FlowPage, FlowUpdate
from pipeflow.walking.paging import walk_pages
from pipeflow.walking.plan import PageRequest, WalkPlan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Fetch: TypeAlias = Callable[[PageRequest], Coroutine[Any, Any, FlowPage]]
Change: TypeAlias = Callable[[list[int]], object]


def note(number: int, offset: int = 0, *, wording: object = None) -> FlowUpdate:
    """A note; what is numbered below 0 has no id."""
    data: dict[str, Any] = {"text": f"note {number}", "wording": wording}
    if number >= 0:
        data["id"] = number
    timestamp = datetime.fromtimestamp(1_800_000_000 - abs(number), UTC)
    return FlowUpdate(object="note", timestamp=timestamp, data=data, offset=offset)


def number_of(update: FlowUpdate) -> int:
    assert isinstance(update.data, dict)
    return int(update.data["text"].removeprefix("note "))


def numbers_of(updates: Iterable[FlowUpdate]) -> list[int]:
    return [number_of(update) for update in updates]


def page_of(
    numbers: Iterable[int], *, start: int, more: bool, next_start: int | None = None
) -> FlowPage:
    updates = tuple(note(number, start + place) for place, number in enumerate(numbers))
    if more and next_start is None:
        next_start = start + len(updates)
    return FlowPage(
        updates=updates,
        start=start,
        page_size=len(updates),
        more_items=more,
        next_start=next_start if more else None,
    )


class Collection:
    """Serves pages of numbered notes, at most `clamp` a page, and notes what it was asked.

    Before its n-th answer (from 0) it changes as `before_page` says.
    """

    def __init__(
        self,
        numbers: Iterable[int],
        *,
        clamp: int = 500,
        before_page: Mapping[int, Change] | None = None,
        reworded: bool = False,
    ) -> None:
        self.numbers = list(numbers)
        self.clamp = clamp
        self.before_page = before_page or {}
        self.reworded = reworded
        self.asked: list[tuple[int, int]] = []

    async def __call__(self, request: PageRequest) -> FlowPage:
        change = self.before_page.get(len(self.asked))
        if change:
            change(self.numbers)
        self.asked.append((request.start, request.limit))
        stop = request.start + min(request.limit, self.clamp)
        wording = len(self.asked) if self.reworded else None
        updates = tuple(
            note(number, offset, wording=wording)
            for offset, number in enumerate(self.numbers[request.start : stop], request.start)
        )
        more = stop < len(self.numbers)
        next_start = request.start + len(updates) if more else None
        return FlowPage(
            updates=updates,
            start=request.start,
            page_size=len(updates),
            more_items=more,
            next_start=next_start,
        )


class OneByOne:
    """A `PageSource` that fetches a page when it is asked for it, and notes what it may expect."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    async def fetch(self, request: PageRequest) -> tuple[PageRequest, FlowPage]:
        return request, await self._fetch(request)

    async def expect(self, requests: Iterator[PageRequest]) -> None:
        pass


async def pages(
    fetch: Fetch, *, start: int = 0, page_size: int = 10, max_items: int | None = None
) -> list[FlowPage]:
    plan = WalkPlan(start=start, page_size=page_size, max_items=max_items)
    return [page async for page in walk_pages(OneByOne(fetch), plan)]


async def walked(
    fetch: Fetch, *, start: int = 0, page_size: int = 10, max_items: int | None = None
) -> list[int]:
    walk = await pages(fetch, start=start, page_size=page_size, max_items=max_items)
    return [number for page in walk for number in numbers_of(page.updates)]


def inserting(place: int, *numbers: int) -> Change:
    return lambda collection: collection.__setitem__(slice(place, place), numbers)


def removing(*places: int) -> Change:
    def remove(numbers: list[int]) -> None:
        for place in sorted(places, reverse=True):
            del numbers[place]

    return remove


def scripted(*answers: Sequence[int]) -> Fetch:
    """Serves these pages one after another, whatever is asked for."""
    left = list(answers)

    async def fetch(request: PageRequest) -> FlowPage:
        return page_of(left.pop(0), start=request.start, more=bool(left))

    return fetch
