"""Many walks at once, as one stream: who walks when, and what one failure means for the rest.

Knows no connection: it runs over any `walk(person_id)` that yields pages.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Literal, TypeAlias

from pipeflow.errors import (
    BlockedError,
    DailyBudgetExhaustedError,
    NotFoundError,
    PipeflowError,
)
from pipeflow.records import FlowPage

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from pipeflow.records import FlowUpdate

__all__ = ["OnError", "walk_many"]

OnError = Literal["collect", "raise"]

Arrival: TypeAlias = tuple[int, FlowPage | PipeflowError | None]

_STOPS_EVERYTHING = (BlockedError, DailyBudgetExhaustedError)


async def walk_many(
    ids: Iterable[int] | AsyncIterable[int],
    walk: Callable[[int], AsyncGenerator[FlowPage, None]],
    *,
    start: int = 0,
    concurrency: int,
    on_error: OnError = "collect",
    skip_missing: bool = False,
    on_done: Callable[[int], object] | None = None,
) -> AsyncGenerator[tuple[int, FlowUpdate], None]:
    """Yields each person's updates in order, and the persons' as they come.

    Ids are taken one by one, when a walk has room for them, so endless iterables do. While the
    consumer is busy, at most two pages per walk are held. However it ends, no walk is under way
    any more when it has ended.

    Args:
        ids: The persons, each once.
        walk: Begins the walk of one person.
        start: The offset at which all of them begin.
        concurrency: Walks at the same time.
        on_error: `"collect"` goes on with the others and raises at the end; `"raise"` stops all.
        skip_missing: Whether a person that does not exist (404, 410) counts as done.
        on_done: Called with the id of each person whose last update was consumed.

    Raises:
        ExceptionGroup: At the end, of all failures, each with `person_id` and `resume_start`.
        PipeflowError: At once, for the daily budget, a block, or with `on_error="raise"` the
            first. The first `begun` ids were begun; those of them that are not done stand in
            `unfinished`, with the offset to go on from, or in `failures`.
        Exception: At once, whatever `ids` raises.
    """
    crew = _Crew(
        ids,
        walk,
        start=start,
        concurrency=concurrency,
        stops_at_first=on_error == "raise",
        skip_missing=skip_missing,
    )
    async with crew:
        while (arrival := await crew.next_arrival()) is not None:
            person_id, outcome = arrival
            if isinstance(outcome, FlowPage):
                for update in outcome.updates:
                    yield person_id, update
                if outcome.next_start is not None:
                    crew.unfinished[person_id] = outcome.next_start
                continue
            crew.unfinished.pop(person_id, None)
            if outcome is not None:
                crew.failures.append(outcome)
            elif on_done is not None:
                on_done(person_id)
    if crew.failures:
        raise ExceptionGroup(f"{len(crew.failures)} of {crew.begun} persons failed", crew.failures)


class _Crew:
    """Workers that each walk one person after the other, and one queue of what they bring.

    A person's pages arrive in order; after the last comes its failure, or None when it is done.
    """

    def __init__(
        self,
        ids: Iterable[int] | AsyncIterable[int],
        walk: Callable[[int], AsyncGenerator[FlowPage, None]],
        *,
        start: int,
        concurrency: int,
        stops_at_first: bool,
        skip_missing: bool,
    ) -> None:
        self._ids = _one_by_one(ids)
        self._taking = asyncio.Lock()
        self._walk = walk
        self._start = start
        self._concurrency = concurrency
        self._fatal_kinds = PipeflowError if stops_at_first else _STOPS_EVERYTHING
        self._missing_is_done = skip_missing
        self._arrived: asyncio.Queue[Arrival | None] = asyncio.Queue(concurrency)
        self._workers: list[asyncio.Task[None]] = []
        self._idle = 0
        self._fatal: Exception | None = None
        self.begun = 0
        self.unfinished: dict[int, int] = {}
        self.failures: list[PipeflowError] = []

    async def __aenter__(self) -> Self:
        self._workers = [asyncio.create_task(self._work()) for _ in range(self._concurrency)]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        await self._ids.aclose()

    async def next_arrival(self) -> Arrival | None:
        """What comes next, None when all workers have gone idle.

        Raises:
            Exception: What stopped everything, after the pages that had arrived by then: they are
                paid for.
        """
        while True:
            if self._arrived.empty():
                if self._fatal is not None:
                    raise self._explained(self._fatal)
                if self._idle == self._concurrency:
                    return None
            arrival = await self._arrived.get()
            if arrival is not None:
                return arrival
            self._idle += 1

    async def _work(self) -> None:
        try:
            while (person_id := await self._take()) is not None:
                await self._walk_one(person_id)
            await self._arrived.put(None)
        except Exception as error:  # noqa: BLE001 - raised again where the consumer is
            self._stop(error)

    async def _take(self) -> int | None:
        async with self._taking:
            async for person_id in self._ids:
                self.begun += 1
                self.unfinished[person_id] = self._start
                return person_id
            return None

    async def _walk_one(self, person_id: int) -> None:
        failure = None
        try:
            async with aclosing(self._walk(person_id)) as pages:
                async for page in pages:
                    await self._arrived.put((person_id, page))
        except PipeflowError as error:
            error.person_id = person_id
            if isinstance(error, self._fatal_kinds):
                raise
            if not (self._missing_is_done and isinstance(error, NotFoundError)):
                failure = error
        await self._arrived.put((person_id, failure))

    def _stop(self, error: Exception) -> None:
        """Ends all walks; the consumer, should it wait, is woken to hear why."""
        self._fatal = self._fatal or error
        for worker in self._workers:
            if worker is not asyncio.current_task():
                worker.cancel()
        with suppress(asyncio.QueueFull):
            self._arrived.put_nowait(None)

    def _explained(self, error: Exception) -> Exception:
        if isinstance(error, PipeflowError):
            # Pages that have arrived but were not consumed are not done.
            error.resume_start = self.unfinished.get(error.person_id or 0)
            error.unfinished = dict(self.unfinished)
            error.begun = self.begun
            error.failures = tuple(self.failures)
            done = self.begun - len(self.unfinished) - len(self.failures)
            error.add_note(
                f"{done} of the first {self.begun} persons are done; not done, with the offset to "
                f"go on from: {error.unfinished}"
            )
        return error


async def _one_by_one(ids: Iterable[int] | AsyncIterable[int]) -> AsyncGenerator[int, None]:
    if isinstance(ids, AsyncIterable):
        async for person_id in ids:
            yield person_id
    else:
        for person_id in ids:
            yield person_id
